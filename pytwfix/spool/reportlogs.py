"""bounce/, defer/ and trace/: what became of recipients, one text file a message (INVENTORY RF-6, ST-3, ST-5).

An append is durable when it fires. What is asked for while the disk is busy is written together: one flush for all of a
file's lines. Errback: QueueError; then nothing of it is left in the file, as far as can be.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail, succeed

from pytwfix.contracts.queue import QueueError
from pytwfix.contracts.reports import Report
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.queueid import valid
from pytwfix.mail.quoting import internal_form
from pytwfix.mail.status import Dsn
from pytwfix.settings.common import CommonSettings
from pytwfix.spool.commit import sync_folder, write_all
from pytwfix.spool.paths import QueuePaths
from pytwfix.spool.reporttext import Entry, block, entries, shown_address

if TYPE_CHECKING:
    from pytwfix.contracts.host import IDisk, IHost

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_THREADS = 4
_PIECE = 1 << 16


class _Append:
    __slots__ = ("done", "error", "path", "text", "waiting")

    def __init__(self, path: str) -> None:
        self.path = path
        self.text: list[bytes] = []
        self.waiting: list[Deferred[None]] = []
        self.error: OSError | None = None


class ReportLogs:
    """The three logs of all messages. One for each process that writes them."""

    def __init__(self, host: IHost) -> None:
        cfg = host.settings(CommonSettings)
        self._disk = host.disk
        self._threads = host.threads
        self._paths = QueuePaths(cfg.queue_directory, cfg.hash_queue_names, cfg.hash_queue_depth)
        self._ready: dict[str, _Append] = {}
        self._busy: set[str] = set()

    def append(self, log: str, queue_id: str, report: Report) -> Deferred[None]:
        """Add a recipient's outcome to a log."""
        try:
            path = self._path(log, queue_id)
            self._make_folders(log, queue_id)
        except OSError as error:
            return fail(QueueError(f"create directory for {log} {queue_id}: {error.strerror}"))
        except QueueError as error:
            return fail(error)
        item = self._ready.get(path)
        if item is None:
            item = self._ready[path] = _Append(path)
        item.text.append(block(entry_of(report)))
        done: Deferred[None] = Deferred()
        item.waiting.append(done)
        self._start()
        return done

    def read(self, log: str, queue_id: str) -> Deferred[list[Report]]:
        """All outcomes of a log, [] when there is none."""
        try:
            data = read_file(self._disk, self._path(log, queue_id))
        except FileNotFoundError:
            return succeed([])
        except OSError as error:
            return fail(QueueError(f"read {log} {queue_id}: {error.strerror}"))
        except QueueError as error:
            return fail(error)
        return succeed([report_of(entry) for entry in entries(data)])

    def remove(self, log: str, queue_id: str) -> Deferred[None]:
        """Delete a log, if there is one."""
        try:
            self._disk.unlink(self._path(log, queue_id))
        except FileNotFoundError:
            return succeed(None)
        except OSError as error:
            return fail(QueueError(f"remove {log} {queue_id}: {error.strerror}"))
        except QueueError as error:
            return fail(error)
        return succeed(None)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _path(self, log: str, queue_id: str) -> str:
        if not valid(queue_id):
            raise QueueError(f"bad queue ID: {queue_id}")
        return self._paths.path(log, queue_id)

    def _make_folders(self, log: str, queue_id: str) -> None:
        for folder in self._paths.missing_folders(log, queue_id):
            try:
                self._disk.mkdir(folder, 0o700)
            except FileExistsError:
                continue

    def _start(self) -> None:
        """Write files that are ready, each by one thread at a time."""
        for path in list(self._ready):
            if len(self._busy) >= _THREADS:
                return
            if path not in self._busy:
                self._busy.add(path)
                item = self._ready.pop(path)
                self._threads.run(_write, self._disk, item).addCallback(self._written)

    def _written(self, item: _Append) -> None:
        self._busy.discard(item.path)
        self._start()
        for done in item.waiting:
            if item.error is None:
                done.callback(None)
            else:
                done.errback(QueueError(f"append to {item.path}: {item.error.strerror}"))


def _write(disk: IDisk, item: _Append) -> _Append:
    """In a thread: append, flush; a new file's name too."""
    try:
        fd = disk.open(item.path, _APPEND, 0o600)
        try:
            disk.lock(fd, True, True)
            size = disk.fstat(fd).st_size
            try:
                write_all(disk, fd, [b"".join(item.text)])
                disk.fsync(fd)
                if not size:
                    sync_folder(disk, os.path.dirname(item.path))
            except OSError:
                disk.ftruncate(fd, size)
                raise
        finally:
            disk.close(fd)
    except OSError as error:
        item.error = error
    return item


def read_file(disk: IDisk, path: str) -> bytes:
    """A whole file. OSError."""
    fd = disk.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = []
        while piece := disk.read(fd, _PIECE):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        disk.close(fd)


def entry_of(report: Report) -> Entry:
    """A report as the file has it: empty values are left out when it is written."""
    recipient, dsn = report.recipient, report.dsn
    original = recipient.original if recipient.original != recipient.address else b""
    return {
        "recipient": shown_address(recipient.address),
        "original_recipient": shown_address(original) if original else "",
        "offset": str(recipient.offset) if recipient.offset > 0 else "",
        "dsn_orig_rcpt": _one_line(recipient.orcpt.decode("utf-8", "surrogateescape")),
        "notify_flags": str(recipient.notify) if recipient.notify else "",
        "status": _one_line(dsn.status),
        "action": _one_line(dsn.action),
        "diag_type": _one_line(dsn.dtype),
        "diag_text": _one_line(dsn.dtext),
        "mta_type": _one_line(dsn.mtype),
        "mta_mname": _one_line(dsn.mname),
        "reason": _one_line(dsn.reason),
    }


def report_of(entry: Entry) -> Report:
    """A block of the file as a report. Time and relay are not in the file."""
    get = entry.get
    address = _internal(get("recipient", ""))
    original = get("original_recipient")
    recipient = Recipient(
        address,
        address if original is None else _internal(original),
        get("dsn_orig_rcpt", "").encode("utf-8", "surrogateescape"),
        _number(get("notify_flags", "0")),
        _number(get("offset", "-1")),
    )
    dsn = Dsn(
        get("status", ""), get("reason", ""), get("action", ""), get("diag_type", ""), get("diag_text", ""),
        get("mta_type", ""), get("mta_mname", ""),
    )  # fmt: skip
    return Report(recipient, dsn)


def _internal(text: str) -> bytes:
    return internal_form(text.encode("utf-8", "surrogateescape"))


def _one_line(text: str) -> str:
    return " ".join(text.split("\n")) if "\n" in text else text


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0
