"""What mail filters are told, and how long they may take (MI-1)."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import string, time


class MilterSettings(Group):
    """What mail filters are told, and how long they may take."""

    milter_command_timeout = time("30s", "How long a filter may take for one command.", minimum=1)
    milter_connect_macros = string("j {daemon_name} {daemon_addr} v _", "Macros for a new connection.")
    milter_connect_timeout = time("30s", "How long to try to reach a filter.", minimum=1)
    milter_content_timeout = time("300s", "How long a filter may take at the end of a mail.", minimum=1)
    milter_data_macros = string("i", "Macros for DATA.")
    milter_default_action = string(
        "shutdown", "What happens when a filter is broken: accept, reject, tempfail, quarantine, shutdown.", minimum=1
    )
    milter_end_of_data_macros = string("i", "Macros for the end of a mail.")
    milter_end_of_header_macros = string("i", "Macros for the end of the headers.")
    milter_helo_macros = string(
        "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}", "Macros for HELO and EHLO."
    )
    milter_macro_daemon_name = string("$myhostname", "The value of {daemon_name}.", minimum=1)
    milter_macro_defaults = string("", "Values of macros that have none, as name=value.")
    milter_macro_v = string("$mail_name $mail_version", "The value of v.", minimum=1)
    milter_mail_macros = string(
        "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}", "Macros for MAIL FROM."
    )
    milter_protocol = string("6", "The protocol's version and options.", minimum=1)
    milter_rcpt_macros = string("i {rcpt_addr} {rcpt_host} {rcpt_mailer}", "Macros for RCPT TO.")
    milter_unknown_command_macros = string("", "Macros for a command that smtpd does not know.")
