"""The queue manager's log lines (LG-9, LG-10, QM-3, QM-8, QM-12)."""

from __future__ import annotations

from pytwfix.basics.printable import printable, printable_text
from pytwfix.mail.quoting import external_form

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.contracts.delivery import Times
    from pytwfix.contracts.host import ILog
    from pytwfix.mail.envelope import Envelope, Recipient
    from pytwfix.mail.status import Dsn
    from pytwfix.qmgr.feedback import Window


def address(value: bytes, internal: bool) -> str:
    return printable(value if internal else external_form(value), utf8=True)


def activated(log: ILog, envelope: Envelope, count: int, internal: bool) -> None:
    sender = address(envelope.sender, internal)
    log.info(f"{envelope.queue_id}: from=<{sender}>, size={envelope.size}, nrcpt={count} (queue active)")


def removed(log: ILog, queue_id: str) -> None:
    log.info(f"{queue_id}: removed")


def expired(log: ILog, envelope: Envelope, internal: bool, forced: bool) -> None:
    word = "force-expired" if forced else "expired"
    sender = address(envelope.sender, internal)
    log.info(f"{envelope.queue_id}: from=<{sender}>, status={word}, returned to sender")


def still_delivered(log: ILog, queue_id: str) -> None:
    log.info(f"{queue_id}: skipped, still being delivered")


def corrupt(log: ILog, queue_id: str, source: str, target: str, reason: str) -> None:
    log.warning(f"{queue_id}: message rejected: {reason}")
    log.warning(f'saving corrupt file "{queue_id}" from queue "{source}" to queue "{target}"')


def trouble(log: ILog, queue_id: str, what: str, error: BaseException | None) -> None:
    """A queue file or a notice with which something could not be done."""
    log.warning(f"{queue_id}: {what}: {error}")


def no_transport(log: ILog, name: str) -> None:
    log.warning(f"connect to transport private/{name}: No such file or directory")


def crashed(log: ILog, name: str, error: BaseException) -> None:
    log.warning(f"private/{name}: {error}")
    log.warning(
        f"transport {name} failure -- see a previous warning/fatal/panic logfile record for the problem description"
    )


def adjusted(log: ILog, name: str, relation: str, other: str) -> None:
    log.warning(f"{name} is {relation} than {other} - adjusting {name}")


def bad_feedback(log: ILog, name: str, text: str) -> None:
    log.warning(f"{name}: ignoring malformed or unreasonable feedback: {text}")


def feedback(log: ILog, what: str, name: str, window: Window) -> None:
    """destination_concurrency_feedback_debug."""
    log.info(
        f"qmgr_queue_{what}: queue {name}: limit {window.limits.concurrency} window {window.size} "
        f"success {window.success:g} failure {window.failure:g} fail_cohorts {window.cohorts:g}"
    )


def delivery(
    log: ILog, queue_id: str, recipient: Recipient, dsn: Dsn, times: Times, now: float, word: str, digits: int
) -> None:
    """The delivery line, for what no agent sees."""
    a, b = _seconds(times.active - times.arrival, digits), _seconds(now - times.active, digits)
    delays = f"delay={_seconds(now - times.arrival, digits)}, delays={a}/{b}/0/0"
    to = f"to=<{printable(external_form(recipient.address), utf8=True)}>"
    original = recipient.original
    if original and original.lower() != recipient.address.lower():
        to += f", orig_to=<{printable(external_form(original), utf8=True)}>"
    reason = printable_text(dsn.reason, utf8=True)
    log.info(f"{queue_id}: {to}, relay=none, {delays}, dsn={dsn.status}, status={word} ({reason})")


def _seconds(value: float, digits: int) -> str:
    """Two significant digits, `digits` after the point at most."""
    if value <= 0:
        return "0"
    places, scale = (0 if value >= 10 else 1), value
    while scale < 1 and places < digits:
        places += 1
        scale *= 10
    text = f"{value:.{min(places, digits)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
