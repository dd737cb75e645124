"""What filters decide, and what is decided for a filter that fails (MI-3, MI-4)."""

from __future__ import annotations

from pytwfix.contracts.milters import DISCARD, HOLD, REJECT, Verdict
from pytwfix.dialogs import milter as wire
from pytwfix.dialogs.milter import MilterError
from pytwfix.mail.reply import Reply

REJECTED = Verdict(REJECT, Reply(550, "5.7.1", "Command rejected"))
LATER = Verdict(REJECT, Reply(451, "4.7.1", "Service unavailable - try again later"))
UNAVAILABLE = Verdict(REJECT, Reply(550, "5.5.0", "Service unavailable"))
MISCONFIGURED = Verdict(REJECT, Reply(451, "4.3.5", "Server configuration problem - try again later"))
CLOSING = Verdict(REJECT, Reply(421, "4.7.0", "Server closing connection", hangup=True))
DISCARDED, HELD = Verdict(DISCARD), Verdict(HOLD)

DEFAULTS = {"accept": None, "reject": UNAVAILABLE, "tempfail": LATER, "quarantine": HELD, "shutdown": CLOSING}
"""By milter_default_action."""


def refusal(command: bytes, reply: bytes) -> Verdict:
    """What a reply means that does not let the mail go on. MilterError: it is none that may come here."""
    kind = reply[:1]
    if kind == wire.REJECT:
        return REJECTED
    if kind == wire.TEMPFAIL:
        return LATER
    if kind == wire.SHUTDOWN:
        return CLOSING
    if kind == wire.REPLY:
        code, dsn, text = wire.read_reply_text(reply[1:])
        words = reply[1:].partition(b"\0")[0].decode("utf-8", "replace").replace("%%", "%")
        return Verdict(REJECT, Reply(code, dsn, text, hangup=code == 421), words)
    name = wire.REPLY_NAMES.get(kind, "(unknown filter reply)")
    raise MilterError(f"unexpected filter response {name} after event {wire.COMMAND_NAMES[command]}")
