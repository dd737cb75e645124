"""A command asks the running system (contracts/control.py). Light: a socket and JSON lines.

ControlDown: nobody listens. ControlError: the answer is no, with an exit code.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

from pytwfix.basics.socketpath import reachable

_TIMEOUT = 3600.0
_LAST = b'{"ok":'  # how the line begins that says how it ended


class ControlDown(Exception):
    """The mail system is down, or cannot be reached; the text says why."""


class ControlError(Exception):
    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def ask(path: str, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The lines of the answer but the last, as they come."""
    for line in ask_lines(path, request):
        yield _read(line)


def ask_lines(path: str, request: dict[str, Any]) -> Iterator[bytes]:
    """The same as the system has written them: JSON, with its line end."""
    with _connected(path) as connection:
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise ControlDown(error.strerror or str(error)) from None
        with connection.makefile("rb") as answer:
            yield from _lines(answer)


def expect_running(path: str) -> None:
    """Whether somebody listens: ControlDown."""
    _connected(path).close()


def _connected(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_TIMEOUT)
        with reachable(path) as name:
            connection.connect(name)
    except OSError as error:
        connection.close()
        raise ControlDown(error.strerror or str(error)) from None
    return connection


def _lines(answer: Any) -> Iterator[bytes]:
    while True:
        try:
            line: bytes = answer.readline()
        except OSError as error:
            raise ControlError(f"malformed server response: {error}", 69) from None
        if not line:
            raise ControlError("the mail system hung up without an answer", 69)
        if not line.startswith(_LAST):
            yield line
            continue
        message = _read(line)
        if not message["ok"]:
            raise ControlError(str(message.get("error", "refused")), int(message.get("code") or 69))
        return


def _read(line: bytes) -> dict[str, Any]:
    try:
        message: dict[str, Any] = json.loads(line.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise ControlError(f"malformed server response: {error}", 69) from None
    return message
