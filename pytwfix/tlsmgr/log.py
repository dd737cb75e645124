"""tlsmgr's log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog


def unusable(out: ILog, cache: str, reason: str) -> None:
    """The table behind a cache does not work: sessions are kept in memory alone."""
    out.warning(f"{cache} TLS session cache: {reason}; sessions are kept in memory only")
