"""bounce's log lines (LG-12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.spool.reporttext import shown_address

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog


def notice(log: ILog, queue_id: str, whom: str, what: str, new_id: str) -> None:
    """`whom`: "sender" or "postmaster"; `what`: "non-delivery", "delay" or "delivery status"."""
    log.info(f"{queue_id}: {whom} {what} notification: {new_id}")


def failed(log: ILog, queue_id: str, whom: str, address: bytes, reason: str) -> None:
    log.info(f"{queue_id}: {whom} notification failed to {shown_address(address)}: {reason}")


def discarded(log: ILog, queue_id: str) -> None:
    log.warning(f"{queue_id}: undeliverable postmaster notification discarded")


def no_trace(log: ILog, queue_id: str) -> None:
    log.info(f"{queue_id}: not sending trace/success notification for single-bounce message")


def no_original(log: ILog, queue_id: str, reason: str) -> None:
    log.warning(f"{queue_id}: notice without the original message: {reason}")


def template(log: ILog, text: str) -> None:
    """What is wrong with the texts of notices."""
    log.warning(text)
