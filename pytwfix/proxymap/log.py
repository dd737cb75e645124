"""The log lines of proxymap and proxywrite (PX-1)."""

from __future__ import annotations

from pytwfix.contracts.host import ILog
from pytwfix.tables.approved import refusal


def unapproved(log: ILog, table: str, writable: bool) -> None:
    for text in refusal(table, writable):
        log.warning(text)
