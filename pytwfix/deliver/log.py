"""The delivery line that every agent writes (LG-10, LG-11). pflogsumm and many others read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.basics.printable import printable, printable_text
from pytwfix.mail.quoting import external_form

if TYPE_CHECKING:
    from pytwfix.contracts.delivery import Times
    from pytwfix.contracts.host import ILog
    from pytwfix.mail.envelope import Recipient

_SIGNIFICANT = 2


def seconds(value: float, digits: int) -> str:
    """A time with two significant digits, never more than `digits` after the point, without zeros at the end."""
    if value <= 0:
        return "0"
    places, scale = _SIGNIFICANT - 1, value
    if value >= 10:
        places = 0
    while scale < 1 and places < digits:
        places += 1
        scale *= 10
    text = f"{value:.{min(places, digits)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def delays(times: Times, now: float, digits: int) -> str:
    """`delay=D, delays=A/B/C/D`: before the queue manager, in it, connection set-up, transmission."""
    active = times.active or times.arrival
    handoff = max(times.handoff or active, active)
    connected = max(times.connected, handoff)
    a, b = seconds(active - times.arrival, digits), seconds(handoff - active, digits)
    c, d = seconds(connected - handoff, digits), seconds(now - connected, digits)
    return f"delay={seconds(now - times.arrival, digits)}, delays={a}/{b}/{c}/{d}"


def address(value: bytes, internal: bool = False) -> str:
    """An address as the log shows it: in external form unless info_log_address_format says internal."""
    return printable(value if internal else external_form(value), utf8=True)


def delivery(
    log: ILog,
    queue_id: str,
    recipient: Recipient,
    relay: str,
    reuse: int,
    delay: str,
    status: str,
    word: str,
    reason: str,
    internal: bool = False,
    tls: str = "",
) -> None:
    """`QID: to=<r>, orig_to=<o>, relay=R, conn_use=n, delay=..., dsn=X.Y.Z, status=word (reason)`."""
    original = recipient.original
    parts = [f"{queue_id}: to=<{address(recipient.address, internal)}>"]
    if original and original != recipient.address and original.lower() != recipient.address.lower():
        parts.append(f"orig_to=<{address(original, internal)}>")
    parts.append(f"relay={relay}")
    if reuse > 1:
        parts.append(f"conn_use={reuse}")
    parts.append(delay)
    if tls:
        parts.append(f"tls={tls}")
    text = reason if reason.isascii() and reason.isprintable() else printable_text(reason, utf8=True)
    parts.append(f"dsn={status}, status={word} ({text})")
    log.info(", ".join(parts))


def false_success(log: ILog, status: str) -> None:
    """A command that failed said in its output that it did not."""
    log.warning(f'bounce_append: ignoring dsn code "{status}"')


def not_recorded(log: ILog, queue_id: str, what: str, error: Exception) -> None:
    """A report could not be written: `what` is bounce, defer, trace or verify."""
    log.warning(f"{queue_id}: {what} service failure: {error}")
