"""One connection of posttls-finger: greeting, EHLO, STARTTLS, QUIT (INVENTORY TF-1; RFC 5321, 3207, 2033). Blocking.

Ended says why a connection does not go on. Every wait has a limit; bytes that a server sends ahead of the handshake are
not taken for an answer after it.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from typing import TypeVar

from OpenSSL import SSL

from pytwfix.basics.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_PIECE = 16384
_LONGEST_REPLY = 1 << 16


class Ended(Exception):
    """The text says why."""


class Peer:
    """`say` takes each line of the dialog."""

    def __init__(self, connection: socket.socket, relay: str, say: Callable[[str], None]) -> None:
        self._socket = connection
        self._say = say
        self._buffer = b""
        self.relay = relay
        self.tls: SSL.Connection | None = None
        connection.setblocking(False)

    def close(self) -> None:
        """With a close_notify: a session that ended without one cannot be taken up again."""
        if self.tls is not None:
            with contextlib.suppress(SSL.Error):
                self.tls.shutdown()
        self._socket.close()

    # -- the dialog

    def reply(self, patience: float) -> tuple[int, list[str]]:
        """Code and lines of a reply."""
        end = time.monotonic() + patience
        lines = []
        while True:
            line = self._line(end)
            self._say(f"< {line}")
            lines.append(line)
            if not line[:3].isdigit() or len(lines) > _LONGEST_REPLY // 64:
                raise Ended(f"{self.relay}: malformed reply: {line}")
            if line[3:4] != "-":
                return int(line[:3]), lines

    def ask(self, command: str, patience: float) -> tuple[int, list[str]]:
        self._say(f"> {command}")
        self._write(command.encode() + b"\r\n", time.monotonic() + patience)
        return self.reply(patience)

    def _line(self, end: float) -> str:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_REPLY:
                raise Ended(f"{self.relay}: a reply is too long")
            self._buffer += self._read(end)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return printable(line.rstrip(b"\r"), utf8=True)

    # -- TLS

    def start_tls(self, context: SSL.Context, prepare: Callable[[SSL.Connection], None], patience: float) -> None:
        """The handshake. Ended when it fails."""
        self._buffer = b""
        connection = SSL.Connection(context, self._socket)
        connection.set_connect_state()
        prepare(connection)
        self.tls = connection
        try:
            self._wait_for(connection.do_handshake, time.monotonic() + patience)
        except SSL.Error as error:
            raise Ended(f"SSL_connect error to {self.relay}: {_reason(error)}") from None

    # -- bytes

    def _read(self, end: float) -> bytes:
        try:
            source = self.tls.recv if self.tls is not None else self._socket.recv
            data: bytes = self._wait_for(lambda: source(_PIECE), end)
        except (SSL.Error, OSError) as error:
            raise Ended(f"lost connection with {self.relay}: {_reason(error)}") from None
        if not data:
            raise Ended(f"lost connection with {self.relay}")
        return data

    def _write(self, data: bytes, end: float) -> None:
        try:
            while data:
                target = self.tls.send if self.tls is not None else self._socket.send
                piece = data
                data = data[self._wait_for(lambda: target(piece), end) :]  # noqa: B023
        except (SSL.Error, OSError) as error:
            raise Ended(f"lost connection with {self.relay}: {_reason(error)}") from None

    def _wait_for(self, do: Callable[[], T], end: float) -> T:
        """Do it when the socket is ready for it."""
        while True:
            readers, writers = [self._socket], []
            try:
                return do()
            except SSL.WantWriteError:
                readers, writers = [], [self._socket]
            except (SSL.WantReadError, BlockingIOError):
                pass
            left = end - time.monotonic()
            if left <= 0 or not any(select.select(readers, writers, [], left)):
                raise Ended(f"conversation with {self.relay} timed out")


def _reason(error: BaseException) -> str:
    """OpenSSL's reasons, or errno's."""
    first = error.args[0] if error.args else ""
    if isinstance(first, list):
        return "; ".join(str(part[-1]) for part in first) or "unexpected end"
    return getattr(error, "strerror", None) or str(error) or "unexpected end"
