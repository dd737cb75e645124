"""trivial-rewrite's own log lines (INVENTORY TR-3)."""

from __future__ import annotations

from pytwfix.contracts.host import ILog


def two_classes(log: ILog, domain: str, first: str, second: str) -> None:
    log.warning(f"do not list domain {domain} in BOTH {first} and {second}")


def null_transport(log: ILog, title: str) -> None:
    log.warning(f"parameter {title}: null transport is not allowed")
