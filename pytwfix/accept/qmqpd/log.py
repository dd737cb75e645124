"""qmqpd's log lines (LG-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog


def connect(log: ILog, namaddr: str) -> None:
    log.info(f"connect from {namaddr}")


def disconnect(log: ILog, namaddr: str) -> None:
    log.info(f"disconnect from {namaddr}")


def client(log: ILog, queue_id: str, namaddr: str) -> None:
    log.info(f"{queue_id}: client={namaddr}")


def broken(log: ILog, queue_id: str, namaddr: str, what: str, activity: str) -> None:
    """The client broke the rules, left, or fell silent."""
    log.info(f"{queue_id}: {namaddr}: {what} while {activity}")


def refused(log: ILog, queue_id: str, namaddr: str, text: str) -> None:
    log.warning(f"{queue_id}: {namaddr}: {text}")
