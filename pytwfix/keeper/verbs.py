"""Files of another user: append to an mbox, deliver into a Maildir, read a .forward (LO-4, LO-6, VI-1, AL-3).

Every function here acts with the rights of the process that calls it, blocks, and raises AsUserError. Nothing is left
half done: an mbox that could not be written whole is cut back to its old length, a Maildir file that is not complete
never leaves tmp/. Limits are in bytes, times in seconds.

Locks are tried once: whoever asks waits and tries again when the error's kind is "locked", so that one busy
mailbox does not keep others of the same user waiting.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pytwfix.contracts.asuser import AsUserError, FileRead, MailboxWrite

_KINDS = {
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.EROFS: "denied",
    errno.ENOSPC: "nospace",
    errno.EDQUOT: "quota",
    errno.EFBIG: "toolarge",
    errno.EISDIR: "permanent",
    errno.EEXIST: "locked",
    errno.EAGAIN: "locked",
}
_MAILBOX_MODE = 0o600
_DIRECTORY_MODE = 0o700
_sequence = itertools.count(1)


def failed(what: str, error: OSError) -> AsUserError:
    """`what: No such file or directory`, with the kind that follows from errno."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    return AsUserError(_KINDS.get(error.errno or 0, "temporary"), f"{what}: {reason}")


def write(request: MailboxWrite) -> int:
    """Deliver `request.data`: into a Maildir when the path ends in "/", else at the end of an mbox; where that was."""
    if request.path.endswith("/"):
        write_maildir(request)
        return 0
    return append_mbox(request)


# --- mbox


def append_mbox(request: MailboxWrite) -> int:
    """Append under all locks that are asked for; durable when it returns. The place at which the mail begins."""
    special = _is_special(request.path)
    with _dotlock(request, wanted="dotlock" in request.locks and not special):
        fd = _open_mbox(request)
        try:
            if not special:
                _lock(fd, request)
                _check_mbox(fd, request)
            return _append(fd, request)
        finally:
            os.close(fd)


def _is_special(path: str) -> bool:
    """A device such as /dev/null: neither locked nor checked."""
    try:
        return stat.S_ISCHR(os.stat(path).st_mode)
    except OSError:
        return False


def _open_mbox(request: MailboxWrite) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    path = request.path
    try:
        try:
            return os.open(path, flags | os.O_NOFOLLOW)
        except FileNotFoundError:
            return _create(path, flags)
        except OSError as error:
            if error.errno != errno.ELOOP or not _link_is_ours(path):
                raise
            # A link that root or the user made is theirs to make; another user's link in a shared directory is not.
            return os.open(path, flags)
    except OSError as error:
        raise failed("cannot open file", error) from None


def _create(path: str, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, _MAILBOX_MODE)
    except OSError as error:
        raise failed("cannot create file exclusively", error) from None


def _link_is_ours(path: str) -> bool:
    return os.lstat(path).st_uid in (0, os.geteuid())


def _check_mbox(fd: int, request: MailboxWrite) -> None:
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        raise AsUserError("permanent", "destination is not a regular file")
    if info.st_nlink > 1:
        raise AsUserError("permanent", f"file has {info.st_nlink} hard links")
    if request.strict_owner and info.st_uid != os.geteuid():
        raise AsUserError("owner", f"destination {request.path} is not owned by recipient")
    if info.st_nlink < 1:
        raise AsUserError("locked", "file was removed while waiting for its lock")


def _lock(fd: int, request: MailboxWrite) -> None:
    try:
        if "fcntl" in request.locks:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if "flock" in request.locks:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            error.errno = errno.EAGAIN
        raise failed("unable to lock for exclusive access", error) from None


def _append(fd: int, request: MailboxWrite) -> int:
    before = os.fstat(fd).st_size
    if request.size_limit and before + len(request.data) > request.size_limit:
        raise AsUserError("toolarge", "error writing message: File too large")
    try:
        _write_all(fd, request.data)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            os.fsync(fd)
    except OSError as error:
        _cut_back(fd, before)
        raise failed("error writing message", error) from None
    return before


def _cut_back(fd: int, size: int) -> None:
    try:
        os.ftruncate(fd, size)
    except OSError:
        pass  # a device, or the disk is gone: the first error is the one to tell


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


@contextmanager
def _dotlock(request: MailboxWrite, wanted: bool) -> Iterator[None]:
    """Hold `path.lock`. Without `lock_required` a directory in which it cannot be made is no hindrance (LO-4)."""
    held = ""
    if wanted:
        try:
            held = take_dotlock(request.path, request.stale_lock)
        except AsUserError as error:
            if request.lock_required or error.kind == "locked":
                raise
    try:
        yield
    finally:
        if held:
            os.unlink(held)


def take_dotlock(path: str, stale: float) -> str:
    """Make `path.lock`, or take over one that nobody touched for `stale` seconds; its name."""
    name = path + ".lock"
    for _ in range(2):
        try:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
            return name
        except FileExistsError as error:
            if not _remove_stale(name, stale):
                raise failed(f"unable to create lock file {name}", error) from None
        except OSError as error:
            raise failed(f"unable to create lock file {name}", error) from None
    raise AsUserError("locked", f"unable to create lock file {name}: File exists")


def _remove_stale(name: str, stale: float) -> bool:
    try:
        if time.time() - os.lstat(name).st_mtime <= stale:
            return False
        os.unlink(name)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


# --- Maildir


def write_maildir(request: MailboxWrite) -> None:
    """tmp/, fsync, rename into new/, fsync of new/: a reader never sees part of a mail."""
    if request.size_limit and len(request.data) > request.size_limit:
        raise AsUserError("toolarge", "error writing message: File too large")
    base = request.path
    host = request.hostname.replace("/", "\\057").replace(":", "\\072") or "localhost"
    now = time.time()
    temporary = f"{base}tmp/{int(now)}.P{os.getpid()}Q{next(_sequence)}.{host}"
    fd = _create_in_maildir(base, temporary)
    try:
        unique = _fill(fd, request.data, now)
        _into_new(base, temporary, f"{unique}.{host}")
    except BaseException:
        _forget(temporary)
        raise


def _create_in_maildir(base: str, temporary: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(temporary, flags, _MAILBOX_MODE)
    except FileNotFoundError:
        return _after_making(base, temporary, lambda: os.open(temporary, flags, _MAILBOX_MODE))
    except OSError as error:
        raise failed(f"create maildir file {temporary}", error) from None


def _after_making(base: str, name: str, action: Callable[[], int]) -> int:
    try:
        for part in ("tmp", "new", "cur"):
            _make_directories(base + part)
        return action()
    except OSError as error:
        raise failed(f"create maildir file {name}", error) from None


def _make_directories(path: str) -> None:
    """Another delivery to the same new maildir may make each of them at the same time."""
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, _DIRECTORY_MODE)
    except FileNotFoundError:
        _make_directories(os.path.dirname(path.rstrip("/")))
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, _DIRECTORY_MODE)


def _fill(fd: int, data: bytes, now: float) -> str:
    """Write and make durable; the name that no other file of this host has (device, inode, microsecond)."""
    try:
        _write_all(fd, data)
        os.fsync(fd)
        info = os.fstat(fd)
    except OSError as error:
        raise failed("error writing message", error) from None
    finally:
        os.close(fd)
    return f"{int(now)}.V{info.st_dev:x}I{info.st_ino:x}M{int(now % 1 * 1_000_000)}"


def _into_new(base: str, temporary: str, name: str) -> None:
    target = f"{base}new/{name}"

    def move() -> int:
        os.rename(temporary, target)
        return 0

    try:
        move()
    except FileNotFoundError:
        _after_making(base, target, move)
    except OSError as error:
        raise failed(f"create maildir file {target}", error) from None
    try:
        fd = os.open(base + "new", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError:
        pass  # the mail is in new/; a directory that cannot be flushed is no reason to deliver it twice


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


# --- reading


def read(request: FileRead, owner: int | None = None) -> bytes | None:
    """The file's bytes, None when there is none. `owner_only`: it must be a regular file of `owner` (this process's
    user when None) or root, not a link, and nobody else's to write."""
    path = request.path
    try:
        info = os.lstat(path) if request.owner_only else os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise failed(f"file {path}", error) from None
    _check_readable(path, info, request.owner_only, os.geteuid() if owner is None else owner)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        fd = os.open(path, flags | os.O_NOFOLLOW if request.owner_only else flags)
    except OSError as error:
        raise failed(f"cannot open file {path}", error) from None
    try:
        again = os.fstat(fd)
        if (again.st_dev, again.st_ino) != (info.st_dev, info.st_ino):
            raise AsUserError("temporary", f"file {path} was replaced while it was opened")
        return _read_all(fd, path, request.limit)
    finally:
        os.close(fd)


def _check_readable(path: str, info: os.stat_result, owner_only: bool, owner: int) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise AsUserError("permanent", f"file {path} is not a regular file")
    if not owner_only:
        return
    if info.st_uid not in (0, owner):
        raise AsUserError("permanent", f"file {path} has bad owner uid {info.st_uid}")
    if info.st_mode & stat.S_IWOTH:
        raise AsUserError("permanent", f"file {path} is world writable")


def _read_all(fd: int, path: str, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        while piece := os.read(fd, 65536):
            parts.append(piece)
            size += len(piece)
            if size > limit:
                raise AsUserError("toolarge", f"file {path} is larger than {limit} bytes")
    except OSError as error:
        raise failed(f"cannot read file {path}", error) from None
    return b"".join(parts)
