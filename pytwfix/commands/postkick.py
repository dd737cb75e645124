"""postkick(1): a request to a service, by its socket or FIFO in the queue directory (PK-2, MA-8, MA-11). Light.

The request goes out with a NUL byte behind it, and nothing is read. Exit status 1 when there is nobody to take it.
"""

from __future__ import annotations

import os
import socket
import stat
import sys

from pytwfix.basics.socketpath import reachable
from pytwfix.commands.options import parse
from pytwfix.commands.submission import configuration, die, value, warn

_PROGRAM = "postkick"
_USAGE = "usage: postkick [-c config_dir] [-v] class service request"
_TIMEOUT = 10.0


class NotReached(Exception):
    """The request was not taken; the text says why, or is empty."""


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    found, words = parse(_PROGRAM, arguments, "c:v", _USAGE, 1)
    if len(words) != 3:
        die(_PROGRAM, _USAGE, 1)
    where, service, request = words
    config = configuration(_PROGRAM, dict(found).get("-c", ""))
    try:
        kick(value(config, "queue_directory"), f"{where}/{service}", request)
    except NotReached as error:
        if str(error):
            warn(_PROGRAM, f"warning: {error}")
        text = f"Cannot contact class {where} service {service} - perhaps the mail system is down"
        warn(_PROGRAM, f"warning: {text}")
        return 1
    return 0


def kick(directory: str, name: str, request: str) -> None:
    """NotReached."""
    path = f"{directory}/{name}"
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise NotReached(f"unable to look up {name}: {error.strerror}") from None
    data = os.fsencode(request) + b"\0"
    try:
        if stat.S_ISSOCK(mode):
            _to_socket(path, data)
        elif stat.S_ISFIFO(mode):
            _to_fifo(path, data)
        else:
            raise NotReached(f"{name} is not a socket or a fifo")
    except (ConnectionRefusedError, BlockingIOError):
        raise NotReached from None
    except OSError as error:
        raise NotReached(f"{name}: {error.strerror or error}") from None


def _to_socket(path: str, data: bytes) -> None:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_TIMEOUT)
    with connection, reachable(path) as name:
        connection.connect(name)
        connection.sendall(data)


def _to_fifo(path: str, data: bytes) -> None:
    """ENXIO, when nobody has it open to read, means what a refused connection does."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        raise ConnectionRefusedError from error
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


if __name__ == "__main__":
    sys.exit(main())
