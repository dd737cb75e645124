"""anvil's statistics lines (LG-14)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _when(when: float) -> str:
    at = time.localtime(when)
    return f"{_MONTHS[at.tm_mon - 1]} {at.tm_mday:2d} {at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d}"


def rate(log: ILog, what: str, count: int, unit: int, ident: str, when: float) -> None:
    """`what`: "connection", "message", "recipient", "newtls", "auth"."""
    log.info(f"statistics: max {what} rate {count}/{unit}s for ({ident}) at {_when(when)}")


def at_once(log: ILog, count: int, ident: str, when: float) -> None:
    log.info(f"statistics: max connection count {count} for ({ident}) at {_when(when)}")


def cache(log: ILog, size: int, when: float) -> None:
    log.info(f"statistics: max cache size {size} at {_when(when)}")
