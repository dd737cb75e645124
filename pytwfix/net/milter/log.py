"""Log lines about filters themselves; what they decide is logged by the room that asked (MI-4)."""

from __future__ import annotations

from pytwfix.contracts.host import ILog


def unreachable(log: ILog, name: str, reason: str) -> None:
    log.warning(f"connect to Milter service {name}: {reason}")


def broken(log: ILog, name: str, text: str) -> None:
    log.warning(f"milter {name}: {text}")


def bad_definition(log: ILog, text: str) -> None:
    log.warning(f"milter service syntax error: {text}")
