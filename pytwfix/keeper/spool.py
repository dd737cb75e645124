"""What only root can do in a mail spool directory: make a user's missing mbox, and its lock file (LO-4).

In /var/mail an ordinary user may not create files. The keeper does both before the user's helper appends, in those
directories alone that it was started with, and for plain names in them.
"""

from __future__ import annotations

import os
import stat

from pytwfix.contracts.asuser import AsUserError, Identity, MailboxWrite
from pytwfix.keeper.verbs import failed, take_dotlock


def belongs(request: MailboxWrite, directories: frozenset[str]) -> bool:
    """Whether this mbox lies directly in a spool directory that root looks after."""
    if not request.create_directory:
        return False
    folder, _, name = request.path.rpartition("/")
    folder = os.path.normpath(folder)
    return (
        folder in directories
        and folder == os.path.normpath(request.create_directory)
        and bool(name)
        and not name.startswith(".")
        and not name.endswith(".lock")
    )


def prepare(who: Identity, request: MailboxWrite) -> str:
    """Take the lock file if it is asked for, make the mbox if it is missing; the lock's name or "". AsUserError."""
    locked = "dotlock" in request.locks
    first = f"unable to create lock file {request.path}.lock" if locked else "cannot create file exclusively"
    _check_directory(os.path.dirname(request.path), first)
    held = take_dotlock(request.path, request.stale_lock) if locked else ""
    try:
        _make(request.path, who)
    except AsUserError:
        release(held)
        raise
    return held


def release(held: str) -> None:
    if held:
        try:
            os.unlink(held)
        except OSError:
            pass  # somebody took it for a stale one


def _check_directory(path: str, first: str) -> None:
    """`first` says what cannot be done where there is no directory."""
    try:
        info = os.lstat(path)
    except OSError as error:
        raise failed(first, error) from None
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != 0:
        raise AsUserError("denied", f"mail spool directory {path} is not a directory of root")


def _make(path: str, who: Identity) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise failed("cannot create file exclusively", error) from None
    try:
        os.fchown(fd, who.uid, who.gid)
    finally:
        os.close(fd)
