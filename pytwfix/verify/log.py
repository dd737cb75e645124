"""verify's log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog


def unusable(out: ILog, reason: str) -> None:
    """The table does not work: the cache is in memory alone."""
    out.warning(f"address_verify_map: {reason}; the cache is kept in memory only")


def not_probed(out: ILog, address: bytes, reason: str) -> None:
    out.warning(f"{address.decode('utf-8', 'replace')}: address verification probe: {reason}")


def cleaned(out: ILog, name: str, retained: int, dropped: int) -> None:
    out.info(f"cache {name} full cleanup: retained={retained} dropped={dropped} entries")
