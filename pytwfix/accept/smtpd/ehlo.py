"""What EHLO announces (SD-3, SD-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.dialogs.smtp_parameters import XCLIENT_NAMES, XFORWARD_NAMES
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.configuration import Configuration
    from pytwfix.dialogs.smtp_server import SmtpServer

KEYWORDS = (
    *("pipelining", "size", "vrfy", "etrn", "starttls", "auth", "xverp", "xclient", "xforward", "enhancedstatuscodes"),
    *("8bitmime", "dsn", "smtputf8", "chunking", "requiretls", "silent-discard"),
)
SILENT = "silent-discard"


def reply(config: Configuration, core: SmtpServer, mechanisms: list[str]) -> Reply:
    """The answer to EHLO for this client."""
    gone = core.discarded
    lines = [config.hostname]
    lines += (line for keyword, line in _keywords(config, core, " ".join(mechanisms)) if keyword not in gone)
    return Reply(250, "", "\n".join(lines))


def _keywords(config: Configuration, core: SmtpServer, mechanisms: str) -> list[tuple[str, str]]:
    size = config.size_limit
    offered = [
        (True, "pipelining", "PIPELINING"),
        (True, "size", f"SIZE {size}" if size else "SIZE"),
        (not config.rules.vrfy_disabled, "vrfy", "VRFY"),
        (True, "etrn", "ETRN"),
        (core.tls_offered and not core.tls_active, "starttls", "STARTTLS"),
        (bool(mechanisms), "auth", f"AUTH {mechanisms}"),
        (bool(mechanisms) and config.settings.broken_sasl_auth_clients, "auth", f"AUTH={mechanisms}"),
        (core.xverp, "xverp", "XVERP"),
        (core.xclient, "xclient", "XCLIENT " + " ".join(XCLIENT_NAMES)),
        (core.xforward, "xforward", "XFORWARD " + " ".join(XFORWARD_NAMES)),
        (True, "enhancedstatuscodes", "ENHANCEDSTATUSCODES"),
        (True, "8bitmime", "8BITMIME"),
        (True, "dsn", "DSN"),
        (config.smtputf8, "smtputf8", "SMTPUTF8"),
        (True, "chunking", "CHUNKING"),
        (core.tls_active and config.rules.requiretls, "requiretls", "REQUIRETLS"),
    ]
    return [(keyword, line) for wanted, keyword, line in offered if wanted]


def discarded(words: list[str]) -> frozenset[str]:
    """smtpd_discard_ehlo_keywords: the keywords that are known, in lower case."""
    return frozenset(word.lower() for word in words).intersection(KEYWORDS)
