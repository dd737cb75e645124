"""Plays a session against a port, and keeps what was said."""

from __future__ import annotations

import re
import socket

_PATIENCE = 5.0
SILENCE = "(silence)"
_QUEUED = re.compile(r"queued as \w+")


def play(port: int, lines: list[str]) -> list[tuple[str, str]]:
    """(line, reply) from the greeting on; the last reply is "" when the server hung up instead."""
    said = []
    with socket.create_connection(("127.0.0.1", port), _PATIENCE) as connection:
        stream = connection.makefile("rb")
        said.append(("", _heard(stream)))
        content = False
        for line in lines:
            if line.startswith("\r\n") and not content:
                continue  # DATA was refused: its content is not sent
            try:
                connection.sendall(_wire(line, content))
            except OSError:
                pass  # what it said before it hung up may still be there
            reply = _heard(stream)
            said.append((line.strip()[:60], reply))
            content = line.upper() == "DATA" and reply.startswith("354")
            if not reply or reply == SILENCE:
                break
        return said


def _heard(stream: object) -> str:
    try:
        return _reply(stream)
    except TimeoutError:
        return SILENCE
    except OSError:
        return ""


def _wire(line: str, content: bool) -> bytes:
    if content:
        return line.removeprefix("\r\n").encode() + b"\r\n.\r\n"
    return line.encode() if line.upper().startswith("BDAT") and "\r\n" in line else line.encode() + b"\r\n"


def _reply(stream: object) -> str:
    lines = []
    while True:
        raw: bytes = stream.readline()  # type: ignore[attr-defined]
        if not raw:
            break
        lines.append(raw.decode("utf-8", "replace").rstrip("\r\n"))
        if raw[3:4] != b"-":
            break
    return _QUEUED.sub("queued as ID", "\n".join(lines))
