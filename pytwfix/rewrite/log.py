"""trivial-rewrite's own log lines (INVENTORY TR-3)."""

from __future__ import annotations

from pytwfix.basics.printable import printable
from pytwfix.contracts.host import ILog
from pytwfix.settings.compatibility import USING


def two_classes(log: ILog, domain: str, first: str, second: str) -> None:
    log.warning(f"do not list domain {domain} in BOTH {first} and {second}")


def null_transport(log: ILog, title: str) -> None:
    log.warning(f"parameter {title}: null transport is not allowed")


def old_append_dot(log: ILog, domain: bytes, rewritten: bytes) -> None:
    """An old default that a new compatibility_level ends made the difference (V-3)."""
    old, new = printable(domain, True), printable(rewritten, True)
    log.info(f'{USING} append_dot_mydomain=yes to rewrite "{old}" to "{new}"')
