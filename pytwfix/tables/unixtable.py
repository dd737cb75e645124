"""unix:passwd.byname and unix:group.byname: the system's users and groups, as a line of their files (MT-6).

Asks the C library, which may ask a directory server: in a thread.
"""

from __future__ import annotations

import grp
import pwd

from pytwfix.contracts.tables import TableMisconfigured
from pytwfix.tables.driver import Driver, TableContext


class Unix(Driver):
    blocking = True

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        finders = {"passwd.byname": _user, "group.byname": _group}
        if rest not in finders:
            raise TableMisconfigured(self.name, f"unknown table: {self.name}")
        self._find = finders[rest]

    def find(self, key: bytes) -> bytes | None:
        name = key.decode("utf-8", "surrogateescape")
        if not name or "\0" in name:
            return None
        return self._find(name)


def _user(name: str) -> bytes | None:
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return None
    line = f"{user.pw_name}:{user.pw_passwd}:{user.pw_uid}:{user.pw_gid}:{user.pw_gecos}:{user.pw_dir}:{user.pw_shell}"
    return line.encode("utf-8", "surrogateescape")


def _group(name: str) -> bytes | None:
    try:
        group = grp.getgrnam(name)
    except KeyError:
        return None
    line = f"{group.gr_name}:{group.gr_passwd}:{group.gr_gid}:{','.join(group.gr_mem)}"
    return line.encode("utf-8", "surrogateescape")
