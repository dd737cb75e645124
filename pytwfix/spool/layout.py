"""The queue's directories, whose they are, and who may do what in them (INVENTORY QU-1, QU-7). Light; blocks.

As root all have the owners that Postfix gives them, so that either can run on the same queue; else they are the user's
who runs the daemon. OSError and KeyError (no such user or group) pass through.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from typing import NamedTuple

ROOT, OWNER = "root", "owner"


class Directory(NamedTuple):
    """`user` is root or mail_owner; `submitters` says that the directory belongs to the group setgid_group."""

    name: str
    mode: int
    user: str = OWNER
    submitters: bool = False


DIRECTORIES = (
    *(Directory(name, 0o700) for name in ("incoming", "active", "deferred", "hold", "corrupt", "saved")),
    *(Directory(name, 0o700) for name in ("bounce", "defer", "trace", "flush", "private")),
    Directory("maildrop", 0o730, OWNER, True),
    Directory("public", 0o710, OWNER, True),
    Directory("submit", 0o755),
    Directory("pid", 0o755, ROOT),
)


class Layout:
    """The directories under `queue_directory`."""

    def __init__(self, queue_directory: str, mail_owner: str, setgid_group: str) -> None:
        self.directory = queue_directory
        self._owner = mail_owner
        self._group = setgid_group
        self._as_root = os.geteuid() == 0

    def create(self) -> list[str]:
        """Make what is missing; the names of what was made."""
        made = []
        if not os.path.isdir(self.directory):
            os.makedirs(self.directory, 0o755)
        for item in DIRECTORIES:
            path = f"{self.directory}/{item.name}"
            if os.path.isdir(path):
                continue
            os.mkdir(path, 0o700)
            self._repair(item, path)
            made.append(item.name)
        return made

    def repair(self) -> None:
        """Give all directories the owners and modes that they should have."""
        for item in DIRECTORIES:
            self._repair(item, f"{self.directory}/{item.name}")

    def _repair(self, item: Directory, path: str) -> None:
        if self._as_root:
            os.chown(path, self._uid(item), self._gid(item))
        os.chmod(path, item.mode)

    def check(self) -> list[str]:
        """What is not as it should be, in Postfix's words."""
        wrong = [text for item in DIRECTORIES for text in self._check(item, f"{self.directory}/{item.name}")]
        mode = os.stat(self.directory).st_mode
        if mode & 0o022 and not mode & stat.S_ISVTX:
            wrong.append(f"group or other writable: {self.directory}")
        return wrong

    def _check(self, item: Directory, path: str) -> list[str]:
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return [f"missing directory: {path}"]
        if not stat.S_ISDIR(status.st_mode):
            return [f"not a directory: {path}"]
        wrong = []
        if status.st_uid != self._uid(item):
            wrong.append(f"not owned by {ROOT if item.user == ROOT else self._owner}: {path}")
        if item.submitters and self._as_root and status.st_gid != self._gid(item):
            wrong.append(f"not owned by group {self._group}: {path}")
        if status.st_mode & 0o022 & ~item.mode:
            wrong.append(f"group or other writable: {path}")
        return wrong

    def _uid(self, item: Directory) -> int:
        if not self._as_root:
            return os.geteuid()
        return 0 if item.user == ROOT else pwd.getpwnam(self._owner).pw_uid

    def _gid(self, item: Directory) -> int:
        return grp.getgrnam(self._group).gr_gid if item.submitters else 0
