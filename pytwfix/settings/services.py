"""Names of services, how long processes wait for each other, and what every daemon observes."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, integer, string, time


class ServiceSettings(Group):
    """Names of services, how long processes wait for each other, and what every daemon observes."""

    address_verify_service_name = string("verify", "The service that answers whether an address is good.", minimum=1)
    application_event_drain_time = time(
        "100s", "How long a command waits for the other side to take its last request.", minimum=1
    )
    bounce_service_name = string("bounce", "The service that keeps records of undeliverable recipients.", minimum=1)
    cleanup_service_name = string("cleanup", "The service that makes incoming mail ready for the queue.", minimum=1)
    command_time_limit = time("1000s", "How long a command of local, pipe or spawn may run.", minimum=1)
    connection_cache_service_name = string("scache", "The service that keeps open connections.", minimum=1)
    daemon_table_open_error_is_fatal = boolean(
        "no", "End a daemon that cannot open a table, rather than only the request."
    )
    daemon_timeout = time("18000s", "How long one request may take before a daemon is thought stuck.", minimum=1)
    default_process_limit = integer("100", "How many sessions or deliveries a service handles at once.", minimum=1)
    defer_service_name = string("defer", "The service that keeps records of deferred recipients.", minimum=1)
    dnsblog_service_name = string("dnsblog", "The service that asks DNS lists for postscreen.", minimum=1)
    error_service_name = string("error", "The service that refuses recipients.", minimum=1)
    export_environment = string("TZ MAIL_CONFIG LANG", "Environment variables that commands get.")
    flush_service_name = string("flush", "The service that knows which mail waits for which domain.", minimum=1)
    fork_attempts = integer("5", "How often to try to start a process.", minimum=1)
    fork_delay = time("1s", "How long between such tries.", minimum=1)
    import_environment = string(
        (
            "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME "
            "XDG_RUNTIME_DIR"
        ),
        "Environment variables that a daemon keeps.",
    )
    in_flow_delay = time(
        "1s", "How long cleanup holds a client back when mail arrives faster than it leaves.", maximum=10
    )
    ipc_idle = time("5s", "When an idle connection between daemons is closed.", minimum=1)
    ipc_timeout = time("3600s", "How long one daemon waits for another.", minimum=1)
    ipc_ttl = time("1000s", "When a busy connection between daemons is closed.", minimum=1)
    known_tcp_ports = string(
        "lmtp=24, smtp=25, smtps=submissions=465, submission=587",
        "Port numbers of service names that the system may not know.",
    )
    master_service_disable = string("", "Services in master.cf that are not run.")
    max_idle = time("100s", "When an idle process ends.", minimum=1)
    max_use = integer("100", "After how many requests a process ends.", minimum=1)
    minimal_backoff_time = time("300s", "The shortest wait before a deferred mail is tried again.", minimum=1)
    pickup_service_name = string("pickup", "The service that collects mail from maildrop.", minimum=1)
    postlog_service_name = string("postlog", "The service that writes the log file.", minimum=1)
    proxymap_service_name = string("proxymap", "The service that reads tables for others.", minimum=1)
    proxywrite_service_name = string("proxywrite", "The service that changes tables for others.", minimum=1)
    queue_run_delay = time("300s", "How often the deferred queue is scanned.", minimum=1)
    queue_service_name = string("qmgr", "The service that is the queue manager.", minimum=1)
    rewrite_service_name = string("rewrite", "The service that rewrites and resolves addresses.", minimum=1)
    service_throttle_time = time("60s", "How long a service that cannot start is left alone.", minimum=1)
    showq_service_name = string("showq", "The service that lists the queue.", minimum=1)
    smtpd_service_name = string("smtpd", "The service that postscreen hands clients to.", minimum=1)
    stress = string("", "Not empty while a service has reached its process limit.")
    tcp_windowsize = integer("0", "The TCP window of connections; 0 for the kernel's choice.")
    tlsmgr_service_name = string("tlsmgr", "The service that keeps TLS sessions.", minimum=1)
    tlsproxy_service_name = string("tlsproxy", "The service that does TLS for others.", minimum=1)
    trace_service_name = string("trace", "The service that keeps records of deliveries that were asked for.", minimum=1)
    trigger_timeout = time("10s", "How long to wait while a service is woken.", minimum=1)
