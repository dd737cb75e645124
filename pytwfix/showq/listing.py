"""What is in the queue, message by message (INVENTORY PQ-2, PQ-3).

Light: commands read files with it when the daemon is down, and the daemon does for the control verb `list`. A message
is a dict, as postqueue -j shows it. Files that go away, are not complete or make no sense are left out; of one that is
cut off, what there is of it is shown. Blocks; raises OSError for a directory that cannot be read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any

from pytwfix.mail.queueid import valid
from pytwfix.spool.cursor import Cursor
from pytwfix.spool.paths import QueuePaths
from pytwfix.spool.records import BadRecord
from pytwfix.spool.reporttext import entries, shown_address

QUEUES = ("maildrop", "active", "incoming", "deferred", "hold")
_EXPIRED = 0o010
_MOST_RECORDS = 1_000_000
_SIZE, _TIME, _SENDER, _RECIPIENT, _DONE, _MESSAGE, _EXTRACTED, _END, _ORIGINAL, _ATTRIBUTE = b"CTSRDMXEOA"
_PASSED = frozenset(b"FILVWK<ionfd/>rePX")  # records that say nothing here
_FIRST = 4096  # octets: the whole envelope of nearly every message, and all of a small one

_LOG = 1 << 16
_REASONS = (("defer", "delay_reason"), ("bounce", "bounce_reason"))
_NOWHERE: tuple[str, frozenset[str]] = ("", frozenset())
_TAKEN = frozenset((_SIZE, _TIME, _SENDER, _RECIPIENT, _DONE, _ORIGINAL))

Entry = dict[str, Any]


def list_queues(paths: QueuePaths, queues: tuple[str, ...] = QUEUES) -> Iterator[Entry]:
    """Every message of the queues."""
    logs = Logs(paths)
    for queue in queues:
        for path, queue_id in files(f"{paths.directory}/{queue}"):
            entry = read_entry(logs, queue, queue_id, path)
            if entry is not None:
                yield entry


def files(folder: str) -> Iterator[tuple[str, str]]:
    """(path, queue ID) of a queue's files, those of subdirectories too."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    for name in names:
        path = f"{folder}/{name}"
        if len(name) == 1:
            if os.path.isdir(path):
                yield from files(path)
        elif valid(name):
            yield path, name


def envelopes(folder: str) -> Iterator[tuple[int, bytes, list[bytes]]]:
    """Time of arrival, sender and the recipients that are left, of every message in a queue's directory."""
    for path, _ in files(folder):
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            found = _Envelope()
            found.read(fd)
        except OSError:
            continue
        finally:
            os.close(fd)
        if found.arrival >= 0 and found.sender is not None:
            yield found.arrival, found.sender, [address for address, _ in found.recipients]


def read_entry(logs: Logs, queue: str, queue_id: str, path: str) -> Entry | None:
    """One message, or None."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or not status.st_mode & stat.S_IXUSR:
            return None
        found = _Envelope()
        found.read(fd)
        if found.arrival < 0 or found.sender is None:
            return None
        return {
            "queue_name": queue,
            "queue_id": queue_id,
            "arrival_time": found.arrival,
            "message_size": status.st_size if found.size < 0 else found.size,
            "forced_expire": bool(status.st_mode & _EXPIRED) and queue != "maildrop",
            "sender": shown_address(found.sender),
            "recipients": _recipients(logs, queue, queue_id, path, found.recipients),
        }
    except OSError:
        return None
    finally:
        os.close(fd)


class _Envelope:
    """What a listing needs of a file."""

    def __init__(self) -> None:
        self.arrival = -1
        self.size = -1
        self.sender: bytes | None = None
        self.recipients: list[tuple[bytes, bytes]] = []  # those not done: address, original
        self._original = b""
        self._end = -1  # where the content ends

    def read(self, fd: int) -> None:
        """As much as can be read."""
        try:
            at = self._quick(os.pread(fd, _FIRST, 0))
            if at >= 0:
                self._read(Cursor(lambda size, offset: os.pread(fd, size, offset), at))
        except (BadRecord, ValueError, IndexError):
            return

    def _quick(self, data: bytes) -> int:
        """Records in the beginning of a file; where to go on with a cursor, -1 for nowhere. Says what `_read` says, in
        a third of the time: only short records that lie in `data` as a whole are taken."""
        at, length = 0, len(data)
        while at + 2 <= length:
            kind, size = data[at], data[at + 1]
            start, after = at + 2, at + 2 + size
            if size > 127 or after > length:
                return at
            if kind == _ATTRIBUTE or kind in _PASSED:
                at = after
            elif kind == _MESSAGE and self._end >= after:
                at = self._end
            elif kind == _END:
                return -1
            elif kind in _TAKEN:
                self._take(kind, data[start:after])
                at = after
            else:
                return at
        return at

    def _read(self, cursor: Cursor) -> None:
        for _ in range(_MOST_RECORDS):
            cursor.skip(_ATTRIBUTE)
            item = cursor.next()
            if item is None or item.kind == _END:
                return
            if item.kind == _MESSAGE and self._end >= 0:
                if self._end < cursor.at:
                    return  # content that ends before it begins
                cursor.at = self._end
            elif item.kind in _TAKEN:
                self._take(item.kind, item.data)

    def _take(self, kind: int, data: bytes) -> None:
        if kind == _RECIPIENT:
            self.recipients.append((data, self._original))
            self._original = b""
        elif kind == _DONE:
            self._original = b""
        elif kind == _ORIGINAL:
            self._original = data
        elif kind == _TIME and self.arrival < 0:
            self.arrival = int(data.split()[0])
        elif kind == _SENDER and self.sender is None:
            self.sender = data
        elif kind == _SIZE:
            numbers = [int(text) for text in data.split()[:2]]
            self.size, self._end = numbers[0], numbers[0] + numbers[1]


def _recipients(
    logs: Logs, queue: str, queue_id: str, path: str, left: list[tuple[bytes, bytes]]
) -> list[Entry]:
    """Recipients with their reasons: those of the defer and bounce logs first, in their order."""
    known = {shown_address(address): shown_address(original) for address, original in left}
    out: list[Entry] = []
    seen: set[str] = set()
    for log, name in _REASONS:
        for item in logs.of(log, queue, queue_id, path):
            address = item["recipient"]
            seen.add(address)
            entry = _recipient(address, item.get("original_recipient") or known.get(address, ""))
            entry[name] = item.get("reason", "")
            out.append(entry)
    out.extend(_recipient(address, original) for address, original in known.items() if address not in seen)
    return out


def _recipient(address: str, original: str) -> Entry:
    return {"address": address, "orig_address": original or address}


class Logs:
    """The defer and bounce logs of messages that come folder by folder. The names in a log's folder are read once, so
    that nothing is opened that is not there: most messages have one log, or none."""

    def __init__(self, paths: QueuePaths) -> None:
        self._paths = paths
        self._names: dict[str, tuple[str, frozenset[str]]] = {}  # by log: the last folder, and what is in it

    def of(self, log: str, queue: str, queue_id: str, path: str) -> list[dict[str, str]]:
        """What a log says of the message at `path`."""
        folder = self.folder(log, queue, queue_id, path)
        known, names = self._names.get(log, _NOWHERE)
        if folder != known:
            names = _names(folder)
            self._names[log] = folder, names
        return _reasons(folder + queue_id) if queue_id in names else []

    def folder(self, log: str, queue: str, queue_id: str, path: str) -> str:
        """Where the log of a message is, with a slash at its end. Its subdirectory is that of the message where both
        have one: to work out that of a long ID takes as long as all the rest."""
        paths = self._paths
        if log in paths.hashed and queue in paths.hashed:
            return f"{paths.directory}/{log}{path[len(paths.directory) + 1 + len(queue) : -len(queue_id)]}"
        return paths.folder(log, queue_id)


def _names(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def _reasons(path: str) -> list[dict[str, str]]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return []
    try:
        data = piece = os.read(fd, _LOG)
        while len(piece) == _LOG:
            piece = os.read(fd, _LOG)
            data += piece
    except OSError:
        return []
    finally:
        os.close(fd)
    return list(entries(data))
