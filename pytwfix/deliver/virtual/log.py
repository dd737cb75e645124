"""virtual's own log lines (VI-1)."""

from __future__ import annotations

from pytwfix.contracts.host import ILog


def not_found(log: ILog, recipient: str, parameter: str) -> None:
    log.warning(f"recipient {recipient}: not found in {parameter}")


def bad_id(log: ILog, recipient: str, kind: str, value: str, parameter: str) -> None:
    """`kind` is "uid" or "gid"."""
    log.warning(f"recipient {recipient}: bad {kind} {value} in {parameter}")


def maildir_access(log: ILog, uid: int, gid: int, text: str) -> None:
    log.warning(f"maildir access problem for UID/GID={uid}/{gid}: {text}")
    log.warning("perhaps you need to create the maildirs in advance")


def ownership(log: ILog) -> None:
    log.warning('specify "strict_mailbox_ownership = no" to ignore mailbox ownership mismatch')
