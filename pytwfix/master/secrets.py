"""Files that perhaps only root may read: keys with mode 0600, ldap.cf (HOUSE 3).

A child reads what it can itself and asks the master for the rest. The master answers for the paths that it found in
main.cf and master.cf, and nothing else; that they are regular files and not too large is all that it looks at.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from pytwfix.ipc import methods
from pytwfix.settings.kinds import SettingsError

if TYPE_CHECKING:
    from pytwfix.contracts.host import IThreads
    from pytwfix.ipc.link import Link
    from pytwfix.master.plan import Plan
    from pytwfix.settings.snapshot import Snapshot

LIMIT = 1 << 20
# A path is a word, or follows the colon of a table's type.
_PATH = re.compile(r'(?<![^\s,:={}()"])/[^\s,{}()"]+')


def named_paths(plan: Plan) -> frozenset[str]:
    """Every path that main.cf or a -o of master.cf mentions, expanded."""
    found: set[str] = set()
    for value in plan.main.values.values():
        _add(found, plan.snapshot, value)
    for service in plan.services:
        view = plan.view(service)
        for value in (*service.overrides.values(), *service.arguments):
            _add(found, view, value)
        if service.overrides:
            for value in plan.main.values.values():
                if "$" in value:
                    _add(found, view, value)
    return frozenset(found)


def _add(found: set[str], view: Snapshot, value: str) -> None:
    if "/" not in value and "$" not in value:
        return
    try:
        text = view.expand(value)
    except SettingsError:
        text = value  # whoever needs it will say so
    found.update(_PATH.findall(text))


class Vault:
    """The master's side. Blocks, for a small file."""

    def __init__(self, plan: Plan) -> None:
        self._paths = named_paths(plan)

    def read(self, path: str) -> bytes:
        """OSError."""
        if path not in self._paths:
            raise OSError(errno.EACCES, "not named by main.cf or master.cf", path)
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode) or info.st_size > LIMIT:
                raise OSError(errno.EINVAL, "not a small regular file", path)
            return os.read(fd, LIMIT)
        finally:
            os.close(fd)


def reader(threads: IThreads, master: Link) -> Callable[[str], Deferred[bytes]]:
    """A child's side: what Process takes as `secret`."""

    def ask(failure: Any, path: str) -> Any:
        failure.trap(PermissionError)
        return master.call(methods.SECRET, path)

    def secret(path: str) -> Deferred[bytes]:
        return threads.run(_read, path).addErrback(ask, path)

    return secret


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
