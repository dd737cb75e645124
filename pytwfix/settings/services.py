"""Names of services, how long processes wait for each other, and what every daemon observes."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, integer, string, time


class ServiceSettings(Group):
    """Names of services, how long processes wait for each other, and what every daemon observes."""

    address_verify_service_name = string("verify", "", minimum=1)
    application_event_drain_time = time("100s", "", minimum=1)
    bounce_service_name = string("bounce", "", minimum=1)
    cleanup_service_name = string("cleanup", "", minimum=1)
    command_time_limit = time("1000s", "", minimum=1)
    connection_cache_service_name = string("scache", "", minimum=1)
    daemon_table_open_error_is_fatal = boolean("no", "")
    daemon_timeout = time("18000s", "", minimum=1)
    default_process_limit = integer("100", "", minimum=1)
    defer_service_name = string("defer", "", minimum=1)
    dnsblog_service_name = string("dnsblog", "", minimum=1)
    error_service_name = string("error", "", minimum=1)
    export_environment = string("TZ MAIL_CONFIG LANG", "")
    flush_service_name = string("flush", "", minimum=1)
    fork_attempts = integer("5", "", minimum=1)
    fork_delay = time("1s", "", minimum=1)
    import_environment = string(
        (
            "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME "
            "XDG_RUNTIME_DIR"
        ),
        "",
    )
    in_flow_delay = time("1s", "", maximum=10)
    ipc_idle = time("5s", "", minimum=1)
    ipc_timeout = time("3600s", "", minimum=1)
    ipc_ttl = time("1000s", "", minimum=1)
    known_tcp_ports = string("lmtp=24, smtp=25, smtps=submissions=465, submission=587", "")
    master_service_disable = string("", "")
    max_idle = time("100s", "", minimum=1)
    max_use = integer("100", "", minimum=1)
    minimal_backoff_time = time("300s", "", minimum=1)
    pickup_service_name = string("pickup", "", minimum=1)
    postlog_service_name = string("postlog", "", minimum=1)
    proxymap_service_name = string("proxymap", "", minimum=1)
    proxywrite_service_name = string("proxywrite", "", minimum=1)
    queue_run_delay = time("300s", "", minimum=1)
    queue_service_name = string("qmgr", "", minimum=1)
    rewrite_service_name = string("rewrite", "", minimum=1)
    service_throttle_time = time("60s", "", minimum=1)
    showq_service_name = string("showq", "", minimum=1)
    smtpd_service_name = string("smtpd", "", minimum=1)
    stress = string("", "")
    tcp_windowsize = integer("0", "")
    tlsmgr_service_name = string("tlsmgr", "", minimum=1)
    tlsproxy_service_name = string("tlsproxy", "", minimum=1)
    trace_service_name = string("trace", "", minimum=1)
    trigger_timeout = time("10s", "", minimum=1)
