"""pickup's log lines (INVENTORY LG-8)."""

from __future__ import annotations

from pytwfix.contracts.host import ILog
from pytwfix.mail.quoting import external_form


def picked_up(log: ILog, queue_id: str, uid: int, sender: bytes, original_id: str) -> None:
    text = f"{queue_id}: uid={uid} from=<{external_form(sender).decode('utf-8', 'replace')}>"
    log.info(f"{text} orig_id={original_id}" if original_id else text)


def corrupt(log: ILog, name: str, reason: str) -> None:
    log.warning(f"maildrop/{name}: {reason}: moved to corrupt")


def not_now(log: ILog, name: str, reason: str) -> None:
    log.warning(f"maildrop/{name}: {reason} -- try again later")
