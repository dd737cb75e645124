"""What smtpd reads (SD-*)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, integer, long_, raw, string, time
from pytwfix.settings.milter import MilterSettings
from pytwfix.settings.servertls import ServerTlsSettings


class SmtpdSettings(CommonSettings, MilterSettings, ServerTlsSettings):
    """What smtpd reads."""

    access_map_defer_code = integer("450", "Reply code for an access table's DEFER without a code of its own.")
    access_map_reject_code = integer("554", "Reply code for an access table's REJECT.")
    address_verify_poll_count = integer(
        "${stress?{1}:{3}}", "How often smtpd asks for the outcome of a probe before it gives up.", minimum=1
    )
    address_verify_poll_delay = time("3s", "How long between two such questions.", minimum=1)
    allow_untrusted_routing = boolean("no", "Pass on user@elsewhere@ours from strangers.")
    broken_sasl_auth_clients = boolean("no", "Offer AUTH in the old form with = as well.")
    cyrus_sasl_config_path = string("", "Where Cyrus SASL looks for its configuration.")
    default_rbl_reply = raw(
        "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}",
        "The reply to a client that a DNS list names.",
        minimum=1,
    )
    defer_code = integer("450", "Reply code for a refusal that may be over later.")
    disable_vrfy_command = boolean("no", "Refuse VRFY.")
    invalid_hostname_reject_code = integer("501", "Reply code of reject_invalid_helo_hostname.")
    local_header_rewrite_clients = string(
        "permit_inet_interfaces", "Clients whose headers are completed with our domain."
    )
    maps_rbl_domains = string("", "DNS lists of the old reject_maps_rbl.")
    maps_rbl_reject_code = integer("554", "Reply code for a client that a DNS list names.")
    multi_recipient_bounce_reject_code = integer("550", "Reply code of reject_multi_recipient_bounce.")
    non_fqdn_reject_code = integer("504", "Reply code of the reject_non_fqdn restrictions.")
    permit_mx_backup_networks = string("", "Networks whose primary MX hosts permit_mx_backup trusts.")
    plaintext_reject_code = integer("450", "Reply code of reject_plaintext_session.")
    pytwfix_sasl_mechanisms = string("plain login scram-sha-256", "What smtpd_sasl_type = table offers.", minimum=1)
    pytwfix_sasl_password_maps = string("", "Users and stored passwords for smtpd_sasl_type = table.")
    pytwfix_sasl_timeout = time("10s", "How long to wait for an authentication server.", minimum=1)
    pytwfix_saslauthd_path = string(
        "/var/run/saslauthd/mux", "The socket of saslauthd, for smtpd_sasl_type = cyrus.", minimum=1
    )
    queue_minfree = long_("0", "How many bytes must be free for new mail; 0 asks for 1.5 times message_size_limit.")
    rbl_reply_maps = string("", "Replies by DNS list.")
    reject_code = integer("554", "Reply code of reject.")
    reject_tempfail_action = string("defer_if_permit", "What a restriction does when it cannot find out.", minimum=1)
    relay_clientcerts = string("", "Fingerprints of clients that permit_tls_clientcerts lets relay.")
    relay_domains_reject_code = integer("554", "Reply code of reject_unauth_destination.")
    smtpd_authorized_verp_clients = string("$authorized_verp_clients", "Clients that may ask for VERP.")
    smtpd_authorized_xclient_hosts = string("", "Clients that may use XCLIENT.")
    smtpd_authorized_xforward_hosts = string("", "Clients that may use XFORWARD.")
    smtpd_banner = string("$myhostname ESMTP $mail_name", "What follows 220 in the greeting.", minimum=1)
    smtpd_client_auth_rate_limit = integer("0", "How many AUTH commands a client may send in the unit of time.")
    smtpd_client_connection_count_limit = integer("50", "How many connections a client may have at once.")
    smtpd_client_connection_rate_limit = integer("0", "How many connections a client may open in the unit of time.")
    smtpd_client_event_limit_exceptions = string(
        "${smtpd_client_connection_limit_exceptions:$mynetworks}", "Clients without such limits."
    )
    smtpd_client_ipv4_prefix_length = integer("32", "How many bits of an IPv4 address make a client.", maximum=32)
    smtpd_client_ipv6_prefix_length = integer("84", "How many bits of an IPv6 address make a client.", maximum=128)
    smtpd_client_message_rate_limit = integer("0", "How many mails a client may send in the unit of time.")
    smtpd_client_new_tls_session_rate_limit = integer(
        "0", "How many TLS handshakes without resumption a client may do in the unit of time."
    )
    smtpd_client_port_logging = boolean("no", "Log the client's port.")
    smtpd_client_recipient_rate_limit = integer("0", "How many recipients a client may name in the unit of time.")
    smtpd_client_restrictions = string("", "What a client must pass.")
    smtpd_command_filter = string("", "Tables that change a client's commands.")
    smtpd_data_restrictions = string("", "What DATA must pass.")
    smtpd_delay_open_until_valid_rcpt = boolean("yes", "Make no queue file before a recipient was accepted.")
    smtpd_delay_reject = boolean("yes", "Hold refusals back until RCPT TO.")
    smtpd_discard_ehlo_keyword_address_maps = string("", "EHLO keywords that are not offered, by client address.")
    smtpd_discard_ehlo_keywords = string("", "EHLO keywords that are not offered.")
    smtpd_dns_reply_filter = string("", "Tables that change or drop DNS answers.")
    smtpd_end_of_data_restrictions = string("", "What a whole mail must pass.")
    smtpd_error_sleep_time = time("1s", "How long a reply to a client with errors is held back.")
    smtpd_etrn_restrictions = string("", "What ETRN must pass.")
    smtpd_expansion_filter = raw(
        "\\t\\40!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_`abcdefghijklmnopqrstuvwxyz{|}~",
        "Characters that may appear in a client's values in replies.",
        minimum=1,
    )
    smtpd_forbid_bare_newline = string(
        "normalize", "What happens to lines that end in LF alone: no, note, normalize, reject.", minimum=1
    )
    smtpd_forbid_bare_newline_exclusions = string("$mynetworks", "Clients for whom that does not hold.")
    smtpd_forbid_bare_newline_reject_code = integer("550", "Reply code of such a refusal.", minimum=500, maximum=599)
    smtpd_forbid_unauth_pipelining = boolean("yes", "Refuse clients that send ahead without being allowed to.")
    smtpd_forbidden_commands = string("CONNECT GET POST regexp:{{/^[^A-Z]/ Bogus}}", "Commands that end a session.")
    smtpd_hard_error_limit = integer("${stress?{1}:{20}}", "How many errors end a session.", minimum=1)
    smtpd_helo_required = boolean("no", "Insist on HELO or EHLO.")
    smtpd_helo_restrictions = string("", "What HELO and EHLO must pass.")
    smtpd_hide_client_session = boolean("no", "Leave client and session out of Received:.")
    smtpd_history_flush_threshold = integer("100", "How many lines of a dialog are kept for the postmaster.", minimum=1)
    smtpd_junk_command_limit = integer(
        "${stress?{1}:{100}}", "How many idle commands do not count as errors.", minimum=1
    )
    smtpd_log_access_permit_actions = string("", "Permits that are logged.")
    smtpd_milter_maps = string("", "Filters by client address.")
    smtpd_milters = string("", "Filters for mail that comes by SMTP.")
    smtpd_min_data_rate = integer("500", "The fewest bytes a second with smtpd_per_request_deadline.", minimum=1)
    smtpd_noop_commands = string("", "Commands that do nothing.")
    smtpd_null_access_lookup_key = string("<>", "What the null sender is called in access tables.")
    smtpd_peername_lookup = boolean("yes", "Look up the client's name.")
    smtpd_per_request_deadline = boolean(
        "${smtpd_per_record_deadline?{$smtpd_per_record_deadline}:{${stress?{yes}:{no}}}}",
        "Let timeouts hold for a whole request, not for one read or write.",
    )
    smtpd_policy_service_default_action = string(
        "451 4.3.5 Server configuration problem", "What a policy service that fails is taken to have said.", minimum=1
    )
    smtpd_policy_service_max_idle = time("300s", "When an idle connection to a policy service is closed.", minimum=1)
    smtpd_policy_service_max_ttl = time("1000s", "When a busy connection to a policy service is closed.", minimum=1)
    smtpd_policy_service_policy_context = string("", "The value of policy_context.")
    smtpd_policy_service_request_limit = integer("0", "How many questions go over one connection; 0 for no limit.")
    smtpd_policy_service_retry_delay = time(
        "1s", "How long to wait before a failed question is asked again.", minimum=1
    )
    smtpd_policy_service_timeout = time("100s", "How long to wait for a policy service.", minimum=1)
    smtpd_policy_service_try_limit = integer("2", "How often a question is asked.", minimum=1)
    smtpd_proxy_ehlo = string("$myhostname", "The name in EHLO to the proxy filter.")
    smtpd_proxy_filter = string("", "The filter that sees mail before it is queued.")
    smtpd_proxy_options = string("", "Options of the same: speed_adjust.")
    smtpd_proxy_timeout = time("100s", "How long to wait for it.", minimum=1)
    smtpd_recipient_limit = integer("1000", "How many recipients a mail may have.", minimum=1)
    smtpd_recipient_overshoot_limit = integer(
        "1000", "How many more are refused before they count as errors.", minimum=1
    )
    smtpd_recipient_restrictions = string("", "What RCPT TO must pass, after smtpd_relay_restrictions.")
    smtpd_reject_filter_maps = string("", "Tables that change refusals.")
    smtpd_reject_footer = raw("", "Text that is added to refusals.")
    smtpd_reject_footer_maps = string("", "The same, by refusal.")
    smtpd_reject_unlisted_recipient = boolean("yes", "Refuse recipients that no table knows.")
    smtpd_reject_unlisted_sender = boolean("no", "Refuse senders in our domains that no table knows.")
    smtpd_relay_before_recipient_restrictions = boolean(
        "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", "Ask smtpd_relay_restrictions first."
    )
    smtpd_relay_restrictions = string(
        (
            "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, "
            "defer_unauth_destination}}"
        ),
        "Who may send to domains that are not ours.",
    )
    smtpd_restriction_classes = string("", "Names of restriction lists that main.cf defines.")
    smtpd_sasl_auth_enable = boolean("no", "Offer AUTH.")
    smtpd_sasl_authenticated_header = boolean("no", "Name the login in Received:.")
    smtpd_sasl_exceptions_networks = string("", "Clients to whom AUTH is not offered.")
    smtpd_sasl_local_domain = string("", "The realm of logins.")
    smtpd_sasl_mechanism_filter = string("!external, static:rest", "Mechanisms that are offered.")
    smtpd_sasl_path = string("smtpd", "The Dovecot socket, or the implementation's own path.", minimum=1)
    smtpd_sasl_response_limit = integer("12288", "How long a response of the client may be.", minimum=12288)
    smtpd_sasl_security_options = string(
        "noanonymous",
        (
            "Mechanisms that are not offered: noplaintext, noactive, nodictionary, noanonymous, forward_secrecy, "
            "mutual_auth."
        ),
    )
    smtpd_sasl_service = string("smtp", "The service name that SASL is told.", minimum=1)
    smtpd_sasl_tls_security_options = string("$smtpd_sasl_security_options", "The same options when TLS is on.")
    smtpd_sasl_type = string("dovecot", "The kind of SASL implementation.", minimum=1)
    smtpd_sender_restrictions = string("", "What MAIL FROM must pass.")
    smtpd_soft_error_limit = integer("10", "After how many errors replies are slowed down.", minimum=1)
    smtpd_timeout = time("${stress?{10}:{300}}s", "How long to wait for a client.", minimum=1)
    smtpd_upstream_proxy_protocol = string("", "The protocol of a load balancer in front: haproxy.")
    smtpd_upstream_proxy_timeout = time("5s", "How long to wait for its header.", minimum=1)
    strict_rfc821_envelopes = boolean("no", "Insist on <> and on plain addresses in commands.")
    unknown_address_reject_code = integer(
        "450", "Reply code of the reject_unknown_sender_domain and reject_unknown_recipient_domain restrictions."
    )
    unknown_address_tempfail_action = string(
        "$reject_tempfail_action", "What they do when DNS does not answer.", minimum=1
    )
    unknown_client_reject_code = integer("450", "Reply code of reject_unknown_client_hostname.")
    unknown_helo_hostname_tempfail_action = string(
        "$reject_tempfail_action", "What reject_unknown_helo_hostname does when DNS does not answer.", minimum=1
    )
    unknown_hostname_reject_code = integer("450", "Reply code of reject_unknown_helo_hostname.")
    unknown_local_recipient_reject_code = integer(
        "550", "Reply code for a recipient that local_recipient_maps do not know."
    )
    unknown_relay_recipient_reject_code = integer(
        "550", "Reply code for a recipient that relay_recipient_maps do not know."
    )
    unknown_virtual_alias_reject_code = integer(
        "550", "Reply code for a recipient that virtual_alias_maps do not know."
    )
    unknown_virtual_mailbox_reject_code = integer(
        "550", "Reply code for a recipient that virtual_mailbox_maps do not know."
    )
    unverified_recipient_defer_code = integer(
        "450", "Reply code while a recipient's probe has no outcome.", minimum=200, maximum=499
    )
    unverified_recipient_reject_code = integer(
        "450", "Reply code for a recipient whose probe failed.", minimum=200, maximum=599
    )
    unverified_recipient_reject_reason = string("", "The text of that reply; empty for the other server's own.")
    unverified_recipient_tempfail_action = string(
        "$reject_tempfail_action", "What reject_unverified_recipient does while it cannot find out.", minimum=1
    )
    unverified_sender_defer_code = integer(
        "450", "Reply code while a sender's probe has no outcome.", minimum=200, maximum=499
    )
    unverified_sender_reject_code = integer(
        "450", "Reply code for a sender whose probe failed.", minimum=200, maximum=599
    )
    unverified_sender_reject_reason = string("", "The text of that reply; empty for the other server's own.")
    unverified_sender_tempfail_action = string(
        "$reject_tempfail_action", "What reject_unverified_sender does while it cannot find out.", minimum=1
    )
