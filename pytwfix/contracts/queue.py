"""The queue: files on disk that outlive us (IQueueStore), and the manager that schedules them (IQueue).

INVENTORY QU-*, QM-*, ST-*.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pytwfix.mail.envelope import Envelope, Recipient

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

# The queues, as directories under queue_directory (QU-1).
MAILDROP, INCOMING, ACTIVE, DEFERRED, HOLD, CORRUPT = "maildrop", "incoming", "active", "deferred", "hold", "corrupt"


class QueueError(Exception):
    """A queue file cannot be read or written; `reason` for the log."""


class CorruptMessage(QueueError):
    """The file's records make no sense: it belongs in corrupt/."""


class NoSuchMessage(QueueError):
    """No file of that name in that queue."""


class MessageBusy(QueueError):
    """Somebody has the file locked: it is still being delivered (ST-7)."""


class INewMessage(Protocol):
    """A queue file that is being written. Nobody else sees it before `commit` has fired."""

    @property
    def queue_id(self) -> str: ...

    def content(self, data: bytes) -> Deferred[None] | None:
        """Content with CRLF line ends, in order. A Deferred asks the caller to wait (the file is behind)."""

    @property
    def size(self) -> int:
        """Bytes of content so far, as Postfix counts them."""

    def commit(self, envelope: Envelope, queue: str = INCOMING) -> Deferred[Envelope]:
        """Write the envelope, make file and directory entry durable; fires with the envelope that has size, offsets
        and queue ID filled in. Errback: QueueError; then nothing is left behind."""

    def abort(self) -> None: ...


class IMessage(Protocol):
    """A queued message in hand: what a delivery agent may do with it. No path, no offset."""

    @property
    def queue_id(self) -> str: ...
    @property
    def envelope(self) -> Envelope: ...

    def body(self) -> AsyncIterator[bytes]:
        """The content in large pieces that end at line boundaries where lines allow it, CRLF line ends."""

    def cached(self) -> bytes | None:
        """The whole content when it is at hand in memory: saves reading a small mail again."""

    def done(self, recipient: Recipient) -> None:
        """Mark a recipient as done (D record), in place. Written at the end of this turn of the reactor
        at the latest."""

    def close(self) -> None: ...


class QueueEntry(NamedTuple):
    """One file as listings see it."""

    queue: str
    queue_id: str
    size: int
    mtime: float
    mode: int


class IQueueStore(Protocol):
    """Postfix's queue directories and files, or something in memory with the same promises."""

    def create(self) -> Deferred[INewMessage]:
        """Errback: QueueError (disk full, permissions)."""

    def open(
        self, queue: str, queue_id: str, lock: bool = True, alone: bool = False, known: Envelope | None = None
    ) -> Deferred[IMessage]:
        """With `lock` it is held until `close`: agents share it; whoever asks to be `alone` with a message (the queue
        manager, before it starts deliveries) learns that an agent of before is still at it. An envelope that is `known`
        is not read again.
        Errback: NoSuchMessage, CorruptMessage, MessageBusy, other QueueError."""

    def at_hand(self, queue_id: str) -> IMessage | None:
        """A message of the active queue whose content is still in memory here, without opening its file; or None.
        It is not locked: for the process that holds the queue manager."""

    def scan(self, queue: str) -> AsyncIterator[QueueEntry]:
        """All complete files of a queue, in no particular order, a few at a time."""

    def move(self, queue_id: str, source: str, target: str, when: float | None = None) -> Deferred[None]:
        """Rename between queues; `when` becomes the file's mtime (the next attempt, QU-5)."""

    def remove(self, queue: str, queue_id: str) -> Deferred[None]: ...
    def touch(self, queue: str, queue_id: str, when: float) -> Deferred[None]: ...
    def update(self, message: IMessage) -> Deferred[None]:
        """Write back what may change in place: warn_time (0: cleared), flags."""

    def free_space(self) -> int:
        """Bytes free in the file system of the queue (SD-6)."""


class IQueue(Protocol):
    """The queue manager, for the rooms that put mail into the queue or work on it."""

    def wake(self, queue_id: str, envelope: Envelope | None = None) -> None:
        """A message is in incoming/. With the envelope nothing needs to be read again."""

    def admits(self) -> bool:
        """Whether a new message may be committed to active/ directly: the manager is in this process and has room.
        Whoever does so must call `wake_active`."""

    def pressed(self) -> bool:
        """Mail comes faster than it leaves: who brings more had better wait a little (CL-14, in_flow_delay)."""

    def wake_active(self, message: IMessage | None, envelope: Envelope) -> None:
        """A message was committed to active/ (only after `admits`)."""

    def flush(self, sites: Sequence[str] | None = None) -> Deferred[None]: ...
    def deliver_now(self, queue_id: str) -> Deferred[bool]: ...
    def forget(self, queue_ids: Iterable[str]) -> None:
        """Files that were removed, held or requeued by hand."""
