"""What tlsrpt reads (RFC 8460)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, string, time
from pytwfix.settings.tlsrpt import TlsrptSettings


class ReportSettings(CommonSettings, TlsrptSettings):
    """What tlsrpt reads."""

    pytwfix_tlsrpt_CAfile = string("", "The CAs of web servers that take TLS reports; empty: the system's.")
    pytwfix_tlsrpt_contact = string("postmaster@$mydomain", "Whom TLS reports are from.", minimum=1)
    pytwfix_tlsrpt_delay = time("4h", "TLS reports are sent at random times within this after the day.")
    pytwfix_tlsrpt_keep = time("14d", "How long TLS reports are kept on disk.", minimum=1)
    pytwfix_tlsrpt_organization = string("$mydomain", "The name of our organization in TLS reports.", minimum=1)
    pytwfix_tlsrpt_send = boolean("no", "Send TLS reports to the domains that they are about.")
    pytwfix_tlsrpt_sender = string("", "The envelope sender of TLS reports; empty for the null sender.")
    pytwfix_tlsrpt_timeout = time("60s", "How long a web server may take to accept a TLS report.", minimum=1)
