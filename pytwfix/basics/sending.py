"""Bytes straight to the socket of a plain TCP transport.

Twisted's `write` first asks epoll whether the socket may be written to, which costs two system calls and a turn of the
reactor for each reply.
"""

from __future__ import annotations

from typing import Any


def unsent(tcp: Any) -> bool:
    """Whether something waits in the transport, which must go first."""
    return bool(tcp.dataBuffer or tcp._tempDataBuffer)


def send_at_once(tcp: Any, data: bytes) -> bytes:
    """What the socket does not take now, to be given to the transport."""
    if tcp.dataBuffer or tcp._tempDataBuffer:
        return data
    try:
        return data[tcp.socket.send(data) :]
    except OSError:
        return data  # it is full, or the peer has gone, which Twisted finds out
