"""Users of this system, by name (LO-1, PI-1). getpwnam may ask a directory service: it runs in a thread.

Answers are remembered for a few seconds, "no such user" too, so that a burst of mail asks once.
"""

from __future__ import annotations

import grp
import pwd
from dataclasses import dataclass

from pytwfix.contracts.host import IHost

_REMEMBER = 10.0
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int
    home: str
    shell: str


class Accounts:
    """A cache over the system's user database. OSError from the database passes through."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._known: dict[str, tuple[float, Account | None]] = {}

    async def find(self, name: str) -> Account | None:
        """None: no such user."""
        now = self._host.monotonic()
        known = self._known.get(name)
        if known is not None and known[0] > now:
            return known[1]
        account = await self._host.threads.run(by_name, name)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[name] = (now + _REMEMBER, account)
        return account


def by_name(name: str) -> Account | None:
    """Blocks."""
    if not name or "\0" in name or ":" in name or "/" in name:
        return None
    try:
        entry = pwd.getpwnam(name)
    except (KeyError, UnicodeEncodeError):
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell)


def by_uid(uid: int) -> Account | None:
    """Blocks."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell)


def group_id(name: str) -> int | None:
    """Blocks."""
    try:
        return grp.getgrnam(name).gr_gid
    except (KeyError, UnicodeEncodeError):
        return None
