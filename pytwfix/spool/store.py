"""The queue in Postfix's own directories and files (contracts/queue.py IQueueStore; INVENTORY QU-1 to QU-6, ST-*).

Short calls (open, rename, unlink, a write to the page cache) are made where they are asked for; what waits for the disk
(flushes, listing directories) is done in threads. A new file has no name until it is complete (O_TMPFILE), where
the file system can do that.
"""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail

from pytwfix.basics.tasks import fired
from pytwfix.contracts.queue import (
    ACTIVE,
    DEFERRED,
    INCOMING,
    MAILDROP,
    CorruptMessage,
    MessageBusy,
    NoSuchMessage,
    QueueEntry,
    QueueError,
)
from pytwfix.mail.envelope import Envelope
from pytwfix.mail.queueid import long_id, short_id, valid
from pytwfix.settings.common import CommonSettings
from pytwfix.spool import envelopes, records
from pytwfix.spool.cache import FreshMessages
from pytwfix.spool.commit import READY, Committer
from pytwfix.spool.listing import list_folder
from pytwfix.spool.message import Message
from pytwfix.spool.newfile import NewMessage
from pytwfix.spool.paths import QueuePaths
from pytwfix.spool.queuefile import read_envelope
from pytwfix.spool.removal import Remover

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.queue import IMessage

_EXPIRED = 0o010  # the mode bit that says that a message was expired by hand (QU-4)
_NEW = os.O_RDWR | os.O_CLOEXEC
_FREE_SPACE_AGE = 1.0


class QueueStore:
    """IQueueStore. One for each process: what it has in memory is its own."""

    def __init__(self, host: IHost) -> None:
        cfg = host.settings(CommonSettings)
        self._host = host
        self.disk = host.disk
        self._now = host.now
        self.line_limit: int = cfg.line_length_limit
        self._long_ids: bool = cfg.enable_long_queue_ids
        self.paths = QueuePaths(cfg.queue_directory, cfg.hash_queue_names, cfg.hash_queue_depth)
        self._committer = Committer(host.disk, host.threads)
        self._remover = Remover(host.disk, host.threads)
        self._fresh = FreshMessages()
        self._marked: dict[str, list[Message]] = {}
        self._marking = False
        self._tmpfile = self._can_name_descriptors()
        self._count = 0
        self._free = (0, -_FREE_SPACE_AGE)
        self._pid = os.getpid()

    # -- new files -------------------------------------------------------------------------------------------------

    def create(self) -> Deferred[NewMessage]:
        try:
            fd, temporary = self._new_file()
            inode = self.disk.fstat(fd).st_ino
        except OSError as error:
            return fail(QueueError(f"create file {INCOMING}: {error.strerror}"))
        now = self._now()
        seconds = int(now)
        micro = int((now - seconds) * 1_000_000)
        queue_id = long_id(seconds, micro, inode) if self._long_ids else short_id(micro, inode)
        return fired(NewMessage(self, queue_id, fd, temporary))

    def _can_name_descriptors(self) -> bool:
        """Whether an open file can be given a name: /proc is there."""
        try:
            self.disk.stat("/proc/self/fd")
        except OSError:
            return False
        return True

    def _new_file(self) -> tuple[int, str]:
        folder = f"{self.paths.directory}/{INCOMING}"
        if self._tmpfile:
            try:
                return self.disk.open(folder, _NEW | os.O_TMPFILE, READY), ""
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                    raise
                self._tmpfile = False
        self._count += 1
        temporary = f"{folder}/{int(self._now() * 1_000_000) % 1_000_000}.{self._pid}.{self._count}"
        return self.disk.open(temporary, _NEW | os.O_CREAT | os.O_EXCL, 0o600), temporary

    def commit(
        self, new: NewMessage, data: list[bytes], envelope: Envelope, queue: str, content: list[bytes] | None
    ) -> Deferred[Envelope]:
        """For NewMessage: give the file its name."""
        queue_id = new.queue_id
        try:
            self._make_folders(queue, queue_id)
        except OSError as error:
            self.discard(new.fd, new.temporary)
            return fail(QueueError(f"create directory for {queue} {queue_id}: {error.strerror}"))
        file = new.file(data, self.paths.folder(queue, queue_id), self.paths.path(queue, queue_id))
        if content is not None:
            self._fresh.put(envelope, content)
        done: Deferred[Any] = file.done
        done.addCallbacks(lambda _: envelope, self._not_committed, errbackArgs=(queue_id,))
        self._committer.add(file)
        return done

    def _not_committed(self, failure: Any, queue_id: str) -> Any:
        self._fresh.drop(queue_id)
        return failure

    def discard(self, fd: int, temporary: str) -> None:
        """A new file that nobody wants."""
        self.disk.close(fd)
        if temporary:
            try:
                self.disk.unlink(temporary)
            except OSError as error:
                self._host.log.warning(f"remove {temporary}: {error.strerror}")

    def _make_folders(self, queue: str, queue_id: str) -> None:
        for folder in self.paths.missing_folders(queue, queue_id):
            try:
                self.disk.mkdir(folder, 0o700)
            except FileExistsError:
                continue

    # -- reading ---------------------------------------------------------------------------------------------------

    def open(
        self, queue: str, queue_id: str, lock: bool = True, alone: bool = False, known: Envelope | None = None
    ) -> Deferred[Message]:
        if not valid(queue_id):
            return fail(NoSuchMessage(f"bad queue ID: {queue_id}"))
        try:
            fd = self.disk.open(self.paths.path(queue, queue_id), _NEW)
        except FileNotFoundError:
            self._fresh.drop(queue_id)
            return fail(NoSuchMessage(f"open {queue} {queue_id}: No such file or directory"))
        except OSError as error:
            return fail(QueueError(f"open {queue} {queue_id}: {error.strerror}"))
        try:
            if (lock or alone) and not self.disk.lock(fd, alone):
                raise MessageBusy(f"{queue_id}: skipped, still being delivered")
            return fired(self._opened(queue_id, fd, known))
        except (QueueError, OSError) as error:
            self.disk.close(fd)
            return fail(error if isinstance(error, QueueError) else QueueError(f"{queue_id}: {error}"))

    def at_hand(self, queue_id: str) -> Message | None:
        fresh = self._fresh.get(queue_id)
        return None if fresh is None else Message(self, fresh[0], -1, fresh[1])

    def _opened(self, queue_id: str, fd: int, known: Envelope | None) -> Message:
        fresh = self._fresh.get(queue_id)
        if fresh is not None:
            fresh[0].force_expired = bool(self.disk.fstat(fd).st_mode & _EXPIRED)
            return Message(self, fresh[0], fd, fresh[1])
        if known is not None:
            return Message(self, known, fd, None)
        pread = self.disk.pread
        reader = read_envelope(lambda size, offset: pread(fd, size, offset), queue_id)
        reader.envelope.force_expired = bool(self.disk.fstat(fd).st_mode & _EXPIRED)
        message = Message(self, reader.envelope, fd, None)
        message.warn_offset, message.trace_offset = reader.warn_offset, reader.trace_offset
        return message

    async def scan(self, queue: str) -> AsyncIterator[QueueEntry]:
        folders = [f"{self.paths.directory}/{queue}"]
        while folders:
            folder = folders.pop()
            try:
                entries, inner = await self._host.threads.run(list_folder, self.disk, queue, folder)
            except OSError as error:
                self._host.log.warning(f"scan {folder}: {error.strerror}")
                continue
            folders.extend(inner)
            for entry in entries:
                yield entry

    # -- files as they lie -----------------------------------------------------------------------------------------

    def move(self, queue_id: str, source: str, target: str, when: float | None = None) -> Deferred[None]:
        self._flush_marks(queue_id)
        old, new = self.paths.path(source, queue_id), self.paths.path(target, queue_id)
        try:
            if when is not None:  # first: it must not be found in `target` with an old time
                self.disk.utime(old, when)
            try:
                self.disk.rename(old, new)
            except FileNotFoundError:
                self._make_folders(target, queue_id)
                self.disk.rename(old, new)
        except FileNotFoundError:
            self._fresh.drop(queue_id)
            return fail(NoSuchMessage(f"rename {source} {queue_id}: No such file or directory"))
        except OSError as error:
            return fail(QueueError(f"rename {source} {queue_id} to {target}: {error.strerror}"))
        if target in (DEFERRED, MAILDROP):
            self._fresh.drop(queue_id)  # it will be read again when its time comes
        return fired(None)

    def remove(self, queue: str, queue_id: str) -> Deferred[None]:
        self._fresh.drop(queue_id)
        for message in self._marked.pop(queue_id, ()):
            message.forget_marks()
            if message.closed:
                message.release()
        return self._remover.remove(self.paths.path(queue, queue_id))

    def touch(self, queue: str, queue_id: str, when: float) -> Deferred[None]:
        try:
            self.disk.utime(self.paths.path(queue, queue_id), when)
        except FileNotFoundError:
            return fail(NoSuchMessage(f"update {queue} {queue_id}: No such file or directory"))
        except OSError as error:
            return fail(QueueError(f"update {queue} {queue_id}: {error.strerror}"))
        return fired(None)

    def update(self, message: IMessage) -> Deferred[None]:
        if not isinstance(message, Message):
            return fail(QueueError(f"{message.queue_id}: not a message of this store"))
        try:
            self._update(message)
        except (OSError, CorruptMessage) as error:
            return fail(QueueError(f"{message.queue_id}: update: {error}"))
        return fired(None)

    def _update(self, message: Message) -> None:
        envelope, fd, disk = message.envelope, message.fd, self.disk
        if message.warn_offset < 0 and message.trace_offset < 0:
            reader = read_envelope(lambda size, offset: disk.pread(fd, size, offset), message.queue_id)
            message.warn_offset, message.trace_offset = reader.warn_offset, reader.trace_offset
        if message.warn_offset >= 0:
            when = envelope.warn_time if envelope.warn_time > 0 else -1
            disk.pwrite(fd, b"%15d" % when, message.warn_offset + 2)
        if message.trace_offset >= 0 and not envelope.trace_flags:
            disk.pwrite(fd, b"K", message.trace_offset)
        if disk.pread(fd, 1, 0) == records.SIZE:
            disk.pwrite(fd, b"%15d" % envelopes.flags_of(envelope), envelopes.FLAGS_OFFSET)

    def free_space(self) -> int:
        free, when = self._free
        now = self._host.monotonic()
        if now - when >= _FREE_SPACE_AGE:
            try:
                found = self.disk.statvfs(self.paths.directory)
            except OSError as error:
                self._host.log.warning(f"statvfs {self.paths.directory}: {error.strerror}")
                return free
            free = found.f_bavail * found.f_frsize
            self._free = (free, now)
        return free

    def open_active(self, queue_id: str) -> int:
        """For Message: the file, to be written. OSError."""
        return self.disk.open(self.paths.path(ACTIVE, queue_id), _NEW)

    # -- marks of recipients that are done -------------------------------------------------------------------------

    def marking(self, message: Message) -> None:
        """For Message: it has marks to write at the end of this turn."""
        self._marked.setdefault(message.queue_id, []).append(message)
        if not self._marking:
            self._marking = True
            self._host.call_later(0, self._flush_all_marks)

    def _flush_all_marks(self) -> None:
        self._marking = False
        for queue_id in list(self._marked):
            self._flush_marks(queue_id)

    def _flush_marks(self, queue_id: str) -> None:
        for message in self._marked.pop(queue_id, ()):
            try:
                message.mark()
            except OSError as error:
                self._host.log.warning(f"{queue_id}: update queue file: {error.strerror}")
            if message.closed:
                message.release()
