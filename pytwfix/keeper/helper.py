"""A process that has become one user and works on that user's files until its socket closes (HOUSE 3).

Forked by the keeper; gives up root before it reads the first request. One request at a time.
"""

from __future__ import annotations

import os
import resource
import signal
import socket

from pytwfix.contracts.asuser import AsUserError, Identity
from pytwfix.keeper import verbs, wire
from pytwfix.keeper.command import become


def serve(connection: socket.socket, who: Identity) -> None:
    """The helper's life. Never returns."""
    status = 1
    try:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        os.umask(0o077)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        become(who)
        connection.setblocking(True)
        _loop(connection)
        status = 0
    except OSError:
        pass
    finally:
        os._exit(status)


def _loop(connection: socket.socket) -> None:
    frames = wire.Frames()
    while data := connection.recv(1 << 18):
        for frame in frames.feed(data):
            connection.sendall(answer(frame).encode())


def answer(frame: wire.Frame) -> wire.Frame:
    """Do what a write or read frame asks."""
    try:
        result: object
        if frame.verb == wire.WRITE:
            result = verbs.write(wire.unpack_write(frame.body))
        else:
            result = verbs.read(wire.unpack_read(frame.body))
        return wire.Frame(frame.number, wire.DONE, frame.uid, frame.gid, wire.pack_answer(result))
    except AsUserError as error:
        failure = error
    except (ValueError, TypeError, OSError) as error:
        failure = AsUserError("temporary", str(error))
    return wire.Frame(frame.number, wire.FAILED, frame.uid, frame.gid, wire.pack_error(failure))
