"""Reading the files of a large queue in two processes: the super-user's listings (INVENTORY PQ-2, PQ-3).

Python makes one processor busy, and a listing of ten thousands of messages takes as long as their files take to read.
The names of a queue are read first; then a child takes every second chunk of them, and sends what it makes of its
messages through a pipe. What a child that dies has not sent is read here. Light: no Twisted, no multiprocessing.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import IO, NamedTuple

from pytwfix.showq.listing import QUEUES, Entry, Logs, files, read_entry
from pytwfix.spool.paths import QueuePaths

_CHUNK = 100  # messages
_FEW = 1000  # files for which a child is not worth making
_HEAD = struct.Struct("!IQI")
_PIPE = 1 << 20  # octets that a child may be ahead
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which the fcntl module has not everywhere

Text = Callable[[Iterable[Entry]], bytes]
_Names = list[tuple[str, str]]


class Chunk(NamedTuple):
    """Some messages, and how large they are."""

    messages: int
    octets: int
    text: bytes


def chunks(paths: QueuePaths, text: Text) -> Generator[Chunk, None, None]:
    """All queues, in order. OSError for a directory that cannot be read."""
    for queue in QUEUES:
        names = list(files(f"{paths.directory}/{queue}"))
        parts = [names[at : at + _CHUNK] for at in range(0, len(names), _CHUNK)]
        reader = _Reader(paths, queue, text)
        if len(names) < _FEW:
            yield from map(reader.chunk, parts)
        else:
            yield from _shared(reader, parts)


class _Reader:
    """Reads files of one queue."""

    def __init__(self, paths: QueuePaths, queue: str, text: Text) -> None:
        self._logs = Logs(paths)
        self._queue = queue
        self._text = text

    def chunk(self, names: _Names) -> Chunk:
        found = [read_entry(self._logs, self._queue, queue_id, path) for path, queue_id in names]
        entries = [one for one in found if one is not None]
        return Chunk(len(entries), sum(one["message_size"] for one in entries), self._text(entries))


def _shared(reader: _Reader, parts: list[_Names]) -> Iterator[Chunk]:
    """Every second part is a child's."""
    source, target = os.pipe()
    child = os.fork()
    if not child:
        os.close(source)
        _child(reader, parts[1::2], target)
    os.close(target)
    try:
        with open(source, "rb") as pipe:
            for place, names in enumerate(parts):
                found = _received(pipe) if place % 2 else None
                yield reader.chunk(names) if found is None else found
    finally:
        os.waitpid(child, 0)


def _child(reader: _Reader, parts: list[_Names], target: int) -> None:
    """Never comes back."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _widen(target)
        with open(target, "wb", buffering=0) as pipe:
            for names in parts:
                chunk = reader.chunk(names)
                data = memoryview(_HEAD.pack(chunk.messages, chunk.octets, len(chunk.text)) + chunk.text)
                while data:
                    data = data[pipe.write(data) :]
    finally:
        os._exit(0)


def _widen(pipe: int) -> None:
    """As far as the system lets us."""
    import fcntl

    try:
        fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE)
    except OSError:
        return


def _received(pipe: IO[bytes]) -> Chunk | None:
    """The next chunk of the child; None: there will be none."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    count, size, length = _HEAD.unpack(head)
    text = pipe.read(length)
    return Chunk(count, size, text) if len(text) == length else None
