"""How requests and answers of contracts/asuser.py travel over the keeper's socket.

A frame is a fixed head and a msgpack body: length of the body, request number, verb or outcome, uid, gid. The keeper
reads the head alone and hands the body on, unread, to the helper that works for that uid; commands it reads itself.
A spawn frame is preceded by a descriptor (SCM_RIGHTS), in the order of the frames. ValueError for what is malformed.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import msgpack

from pytwfix.contracts.asuser import AsUserError, CommandResult, CommandRun, FileRead, MailboxWrite

WRITE, READ, RUN, SPAWN = 1, 2, 3, 4
DONE, FAILED = 16, 17
LARGEST_BODY = 1 << 31
HEAD = struct.Struct("!IIBii")


class Frame(NamedTuple):
    number: int
    verb: int
    uid: int
    gid: int
    body: bytes

    def encode(self) -> bytes:
        return HEAD.pack(len(self.body), self.number, self.verb, self.uid, self.gid) + self.body


class Frames:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._needed = HEAD.size

    def feed(self, data: bytes) -> list[Frame]:
        """All frames that are complete. ValueError: a length that cannot be."""
        self._parts.append(data)
        self._size += len(data)
        if self._size < self._needed:
            return []
        stream = b"".join(self._parts)
        frames: list[Frame] = []
        at = 0
        while len(stream) - at >= HEAD.size:
            length, number, verb, uid, gid = HEAD.unpack_from(stream, at)
            if length > LARGEST_BODY:
                raise ValueError("frame is too long")
            end = at + HEAD.size + length
            if end > len(stream):
                break
            frames.append(Frame(number, verb, uid, gid, stream[at + HEAD.size : end]))
            at = end
        rest = stream[at:]
        self._parts, self._size = [rest], len(rest)
        self._needed = HEAD.size + HEAD.unpack_from(rest)[0] if len(rest) >= HEAD.size else HEAD.size
        return frames


def pack_write(request: MailboxWrite) -> bytes:
    return _pack(
        request.path,
        request.data,
        list(request.locks),
        request.stale_lock,
        request.size_limit,
        request.hostname,
        request.lock_required,
        request.strict_owner,
        request.create_directory,
    )


def unpack_write(body: bytes) -> MailboxWrite:
    kinds = (str, bytes, list, _NUMBER, int, str, bool, bool, str)
    path, data, locks, stale, limit, hostname, required, strict, directory = _typed(_unpack(body), *kinds)
    return MailboxWrite(
        path=path,
        data=data,
        locks=locks,
        stale_lock=stale,
        size_limit=limit,
        hostname=hostname,
        lock_required=required,
        strict_owner=strict,
        create_directory=directory,
    )


def pack_read(request: FileRead) -> bytes:
    return _pack(request.path, request.limit, request.owner_only)


def unpack_read(body: bytes) -> FileRead:
    return FileRead(*_typed(_unpack(body), str, int, bool))


def pack_run(request: CommandRun) -> bytes:
    return _pack(
        list(request.argv),
        dict(request.environment),
        request.data,
        request.time_limit,
        request.directory,
        request.chroot,
        request.output_limit,
        request.file_limit,
    )


def unpack_run(body: bytes) -> CommandRun:
    run = CommandRun(*_typed(_unpack(body), list, dict, bytes, _NUMBER, str, str, int, int))
    words = [*run.argv, *run.environment, *run.environment.values(), run.directory, run.chroot]
    if not run.argv or not all(isinstance(word, str) and "\0" not in word for word in words):
        raise ValueError("bad command")
    return run


def pack_answer(answer: object) -> bytes:
    """Of a write (an offset), a read (bytes or None) or a command."""
    if isinstance(answer, CommandResult):
        return _pack(answer.status, answer.output, answer.timed_out)
    return _pack(answer)


def unpack_answer(verb: int, body: bytes) -> Any:
    values = _unpack(body)
    return CommandResult(*values) if verb in (RUN, SPAWN) else values[0]


def pack_error(error: AsUserError) -> bytes:
    return _pack(error.kind, error.text)


def unpack_error(body: bytes) -> AsUserError:
    return AsUserError(*_unpack(body))


def _pack(*values: object) -> bytes:
    packed: bytes = msgpack.packb(values, unicode_errors="surrogateescape")
    return packed


_NUMBER = (int, float)


def _typed(values: list[Any], *kinds: type | tuple[type, ...]) -> list[Any]:
    """ValueError unless the values are of these kinds: who asks is not trusted with more than what he may ask."""
    if len(values) != len(kinds) or not all(map(isinstance, values, kinds)):
        raise ValueError("bad request")
    return values


def _unpack(body: bytes) -> list[Any]:
    try:
        values = msgpack.unpackb(
            body,
            unicode_errors="surrogateescape",
            max_bin_len=LARGEST_BODY,
            max_str_len=1 << 20,
            max_array_len=1 << 16,
            max_map_len=1 << 12,
        )
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(str(error)) from None
    if not isinstance(values, list):
        raise ValueError("not a list")
    return values
