"""cleanup's log lines (INVENTORY LG-7, CL-11, CL-15, CA-4, CA-5)."""

from __future__ import annotations

from pytwfix.contracts.host import ILog

_SHOWN = 200


def text(value: bytes) -> str:
    """Mail data as a log line may have it: what cannot be printed is a question mark."""
    shown = value.decode("utf-8", "replace")
    return shown if shown.isprintable() else "".join(c if c.isprintable() else "?" for c in shown)


def message_id(log: ILog, queue_id: str, value: bytes) -> None:
    log.info(f"{queue_id}: message-id={text(value)}")


def resent_message_id(log: ILog, queue_id: str, value: bytes) -> None:
    log.info(f"{queue_id}: resent-message-id={text(value)}")


def canceled(log: ILog, queue_id: str) -> None:
    log.info(f"{queue_id}: removed (canceled)")


def discarded(log: ILog, queue_id: str) -> None:
    log.info(f"{queue_id}: removed (discarded)")


def bounced(log: ILog, queue_id: str, recipient: bytes, original: bytes, delay: float, dsn: str, reason: str) -> None:
    """LG-10, for a recipient of a mail that is bounced before it was queued."""
    also = f" orig_to=<{text(original)}>," if original and original != recipient else ""
    late = f"{max(delay, 0):.2g}"
    log.info(
        f"{queue_id}: to=<{text(recipient)}>,{also} relay=none, delay={late}, delays={late}/0/0/0, dsn={dsn}, "
        f"status=bounced ({reason})"
    )


def removed(log: ILog, queue_id: str) -> None:
    log.info(f"{queue_id}: removed")


def hops(log: ILog, queue_id: str) -> None:
    log.warning(f"{queue_id}: message rejected: hopcount exceeded")


def size(log: ILog, queue_id: str) -> None:
    log.warning(f"{queue_id}: queue file size limit exceeded")


def attributes(log: ILog, queue_id: str) -> None:
    log.warning(f"{queue_id}: queue file attribute count limit exceeded")


def characters(log: ILog, queue_id: str, line: bytes, context: str) -> None:
    check(log, queue_id, "reject", "content", line, context, "5.7.1 disallowed character")


def map_problem(log: ILog, queue_id: str, title: str, address: bytes = b"") -> None:
    about = f" for {text(address)}" if address else ""
    log.warning(f"{queue_id}: {title} map lookup problem{about} -- message not accepted, try again later")


def nesting(log: ILog, queue_id: str, title: str, address: bytes) -> None:
    log.warning(
        f"{queue_id}: unreasonable {title} map nesting for {text(address)} -- message not accepted, try again later"
    )


def expansion(log: ILog, queue_id: str, title: str, address: bytes) -> None:
    log.warning(
        f"{queue_id}: unreasonable {title} map expansion size for {text(address)} "
        "-- message not accepted, try again later"
    )


def length(log: ILog, queue_id: str, title: str, address: bytes) -> None:
    log.warning(
        f"{queue_id}: unreasonable {title} result {text(address[:100])}... -- message not accepted, try again later"
    )


def no_recipients(log: ILog, queue_id: str) -> None:
    log.info(f"{queue_id}: no recipients specified")


def mime_error(log: ILog, queue_id: str, reason: str, sample: bytes, context: str) -> None:
    log.info(f"{queue_id}: reject: mime-error {reason}: {text(sample[:_SHOWN])} {context}")


def check(log: ILog, queue_id: str, action: str, what: str, line: bytes, context: str, argument: str) -> None:
    """What was decided of a line; `what` is "header", "body" or "content"."""
    tail = f": {text(argument.encode())}" if argument else ""
    log.info(f"{queue_id}: {action}: {what} {text(line[:_SHOWN])} {context}{tail}")


def unknown_action(log: ILog, title: str, value: str) -> None:
    log.warning(f"unknown command in {title} map: {value}")


def bad_argument(log: ILog, queue_id: str, title: str, value: str) -> None:
    log.warning(f"{queue_id}: bad or missing argument in {title} map: {value}")


def unsupported_action(log: ILog, title: str, value: str) -> None:
    log.warning(f"unsupported command in {title} map: {value}")


def no_prepend(log: ILog) -> None:
    log.warning("the milter_header/body_checks prepend action is not implemented")


def milter(log: ILog, queue_id: str, action: str, stage: str, source: str, text: str, rest: str) -> None:
    """LG-4: what filters decided of a mail; `rest` are its addresses."""
    shown = "".join(char if char.isprintable() else "?" for char in text)
    log.info(f"{queue_id}: milter-{action}: {stage} from {source}: {shown};{rest}")


def milter_recipient_refused(log: ILog, queue_id: str) -> None:
    log.warning(f"{queue_id}: milter configuration error: can't reject recipient in non-smtpd(8) submission")
    log.warning(f"{queue_id}: message not accepted, try again later")


def milter_request(log: ILog, queue_id: str, what: str, value: bytes) -> None:
    """A request that cannot be met; `what` names it."""
    log.warning(f'{queue_id}: {what}: "{text(value[:100])}"')


def null_recipient(log: ILog, queue_id: str) -> None:
    log.warning(f"{queue_id}: ignoring attempt from Milter to add null recipient")


def bad_filter(log: ILog, argument: str, title: str) -> None:
    log.warning(f"bad FILTER command {argument} in {title} -- need transport:destination")


def bad_target(log: ILog, what: str, argument: str, title: str) -> None:
    """`what`: REDIRECT target, BCC address."""
    log.warning(f'bad {what} "{argument}" in {title} map -- need user@domain')


def no_text(log: ILog, action: str, title: str) -> None:
    log.warning(f"{action} action without text in {title} map")
