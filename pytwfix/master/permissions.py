"""Accounts and what they may read (HOUSE 3): asked as root before anything is forked, since a process that has become
mail_owner imports modules and opens tables later. StartError names the account or the path that is in the way.
"""

from __future__ import annotations

import grp
import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from pytwfix.master.startup import StartError


class Account(NamedTuple):
    """Whose rights a process takes on. `groups` has the primary one too."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def account(name: str, setgid_group: str = "") -> Account:
    """mail_owner, with all groups that it is in; StartError with what would make a missing account."""
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        make = f"useradd -r -M -d /var/spool/postfix -s /usr/sbin/nologin {name}"
        raise StartError(f"mail_owner {name}: no such user; make it with: {make}") from None
    if setgid_group:
        try:
            grp.getgrnam(setgid_group)
        except KeyError:
            raise StartError(
                f"setgid_group {setgid_group}: no such group; make it with: groupadd -r {setgid_group}"
            ) from None
    if found.pw_uid == 0 or found.pw_gid == 0:
        raise StartError(f"mail_owner {name}: must not have root's rights")
    return Account(name, found.pw_uid, found.pw_gid, tuple(os.getgrouplist(name, found.pw_gid)))


def become(who: Account) -> None:
    """For good. OSError."""
    os.setgroups(who.groups)
    os.setresgid(who.gid, who.gid, who.gid)
    os.setresuid(who.uid, who.uid, who.uid)


@contextmanager
def acting(who: Account) -> Iterator[None]:
    """With this account's rights for a moment. For a process that is root and has one thread."""
    groups, gid, uid = os.getgroups(), os.getegid(), os.geteuid()
    os.setgroups(who.groups)
    os.setegid(who.gid)
    os.seteuid(who.uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)


def needed(configuration: str) -> list[tuple[str, int]]:
    """What a process needs: interpreter, library, packages, configuration; (path, os.access mode)."""
    packages = [os.path.dirname(os.path.abspath(_file(name))) for name in ("pytwfix", "twisted", "os")]
    return [
        (os.path.realpath(sys.executable), os.R_OK | os.X_OK),
        *((path, os.R_OK | os.X_OK) for path in packages),
        (configuration, os.R_OK | os.X_OK),
        (os.path.join(configuration, "main.cf"), os.R_OK),
    ]


def _file(module: str) -> str:
    return str(sys.modules[module].__file__ if module in sys.modules else __import__(module).__file__)


def check(configuration: str, who: Account) -> None:
    """StartError when `who` cannot read what it needs; the first folder that is closed is named."""
    with acting(who):
        for path, mode in needed(configuration):
            if not os.access(path, mode, effective_ids=True):
                raise StartError(f"mail_owner {who.name} cannot read {path}: {_closed(path, mode)}")


def _closed(path: str, mode: int) -> str:
    """Which part of a path is in the way."""
    folder = ""
    for part in path.split("/")[1:-1]:
        folder += f"/{part}"
        if not os.access(folder, os.X_OK, effective_ids=True):
            return f"{folder} is closed to it"
    return "permission denied" if os.path.exists(path) else "it does not exist"
