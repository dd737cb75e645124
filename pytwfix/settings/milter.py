"""What mail filters are told, and how long they may take (MI-1)."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import string, time


class MilterSettings(Group):
    """What mail filters are told, and how long they may take."""

    milter_command_timeout = time("30s", "", minimum=1)
    milter_connect_macros = string("j {daemon_name} {daemon_addr} v _", "")
    milter_connect_timeout = time("30s", "", minimum=1)
    milter_content_timeout = time("300s", "", minimum=1)
    milter_data_macros = string("i", "")
    milter_default_action = string("shutdown", "", minimum=1)
    milter_end_of_data_macros = string("i", "")
    milter_end_of_header_macros = string("i", "")
    milter_helo_macros = string("{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}", "")
    milter_macro_daemon_name = string("$myhostname", "", minimum=1)
    milter_macro_defaults = string("", "")
    milter_macro_v = string("$mail_name $mail_version", "", minimum=1)
    milter_mail_macros = string("i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}", "")
    milter_protocol = string("6", "", minimum=1)
    milter_rcpt_macros = string("i {rcpt_addr} {rcpt_host} {rcpt_mailer}", "")
    milter_unknown_command_macros = string("", "")
