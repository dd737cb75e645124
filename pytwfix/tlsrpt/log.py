"""tlsrpt's log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.basics.printable import printable_text

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog


def made(out: ILog, domain: str, successes: int, failures: int) -> None:
    out.info(f"TLS report for {domain}: sessions={successes + failures}, failed={failures}")


def mailed(out: ILog, queue_id: str, domain: str) -> None:
    out.info(f"{queue_id}: TLS report for {domain}")


def posted(out: ILog, domain: str, place: str) -> None:
    out.info(f"TLS report for {domain}: posted to {printable_text(place)}")


def not_sent(out: ILog, domain: str, place: str, reason: str, last: bool) -> None:
    rest = "given up" if last else "tried again later"
    text = printable_text(reason, utf8=True)
    out.warning(f"TLS report for {domain} to {printable_text(place)}: {text}; {rest}")


def disk(out: ILog, reason: str) -> None:
    out.warning(f"TLS reports: {reason}")


def not_read(out: ILog, name: str, reason: str) -> None:
    out.warning(f"TLS reports: counts in {printable_text(name, utf8=True)} are lost: {reason}")


def late(out: ILog, name: str) -> None:
    """Counts of a time that was reported already."""
    out.warning(f"TLS reports: counts in {printable_text(name, utf8=True)} came too late")


def too_many(out: ILog, number: int) -> None:
    out.warning(f"TLS reports: more than {number} domains, not all get one")
