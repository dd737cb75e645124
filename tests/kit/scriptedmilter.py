"""A milter that answers as a test says, and remembers all that it was told (protocol versions 2 to 6): in a thread
with a socket, or on a network in memory."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from twisted.internet.protocol import Protocol

ALL_ACTIONS = 0x1FF
CONTINUE, CLOSE, STALL = b"c", b"\0close", b"\0stall"  # the last two are no packets: hang up, never answer

Answer = Sequence[bytes] | Callable[[bytes], Sequence[bytes]]


class Packet(NamedTuple):
    """What the mail system sent: the command's letter and what follows it."""

    command: str
    data: bytes

    @property
    def words(self) -> list[bytes]:
        return self.data.removesuffix(b"\0").split(b"\0")


def packet(data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + data


class Script:
    """`answers` by command letter, `c` where none is given; `events` are the protocol flags of the negotiation and
    `symbols` the macro lists that it asks for, by stage. `sessions` has a list of packets for each connection."""

    def __init__(
        self,
        answers: Mapping[str, Answer] | None = None,
        *,
        version: int = 6,
        actions: int = ALL_ACTIONS,
        events: int = 0,
        symbols: Mapping[int, bytes] | None = None,
    ) -> None:
        self.answers: dict[str, Answer] = dict(answers or {})
        self.version, self.actions, self.events, self.symbols = version, actions, events, symbols or {}
        self.sessions: list[list[Packet]] = []

    def said(self, session: int = -1) -> list[Packet]:
        """The packets of one connection, without macros."""
        return [packet for packet in self.sessions[session] if packet.command != "D"]

    def commands(self, session: int = -1) -> str:
        return "".join(packet.command for packet in self.said(session))

    def data(self, command: str, session: int = -1) -> list[bytes]:
        """What came with each command of that letter."""
        return [packet.data for packet in self.said(session) if packet.command == command]

    def macros(self, stage: str, session: int = -1) -> dict[str, str]:
        """The macros that came last before a command."""
        for packet in reversed(self.sessions[session]):
            if packet.command == "D" and packet.data[:1] == stage.encode():
                words = packet.data[1:].removesuffix(b"\0").split(b"\0") if packet.data[1:] else []
                return {k.decode(): v.decode() for k, v in zip(words[::2], words[1::2], strict=True)}
        return {}

    def replies(self, one: Packet) -> Sequence[bytes]:
        answer = self.answers.get(one.command)
        if answer is not None:
            return answer(one.data) if callable(answer) else answer
        if one.command == "O":
            lists = b"".join(struct.pack("!I", stage) + names + b"\0" for stage, names in self.symbols.items())
            return (b"O" + struct.pack("!III", self.version, self.actions, self.events) + lists,)
        if one.command in "DAKQ" or self.events & _SILENT.get(one.command, 0):
            return ()
        return (CONTINUE,)


class MemoryMilter(Protocol):
    """One connection to a milter in memory."""

    transport: Any

    def __init__(self, script: Script) -> None:
        self._script = script
        self._told: list[Packet] = []
        self._buffer = b""
        script.sessions.append(self._told)

    def dataReceived(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 4:
            size = struct.unpack("!I", self._buffer[:4])[0]
            if len(self._buffer) < 4 + size:
                return
            data, self._buffer = self._buffer[4 : 4 + size], self._buffer[4 + size :]
            one = Packet(data[:1].decode("latin-1"), data[1:])
            self._told.append(one)
            for reply in self._script.replies(one):
                if reply == CLOSE:
                    self.transport.loseConnection()
                elif reply != STALL:
                    self.transport.write(reply[1:] if reply[:1] == b"\0" else packet(reply))


class ScriptedMilter(Script):
    """In a thread, on a port of 127.0.0.1 or a UNIX socket at `path`; `name` is what main.cf calls it."""

    def __init__(self, answers: Mapping[str, Answer] | None = None, *, path: str = "", **script: Any) -> None:
        super().__init__(answers, **script)
        self._connections: list[socket.socket] = []
        if path:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(path)
            os.chmod(path, 0o666)
            self._listener.listen()
            self.name = f"unix:{path}"
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.port: int = self._listener.getsockname()[1]
            self.name = f"inet:127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            told: list[Packet] = []
            self.sessions.append(told)
            threading.Thread(target=self._serve, args=(connection, told), daemon=True).start()

    def _serve(self, connection: socket.socket, told: list[Packet]) -> None:
        try:
            with connection, connection.makefile("rb") as packets:
                while len(head := packets.read(4)) == 4:
                    data = packets.read(struct.unpack("!I", head)[0])
                    one = Packet(data[:1].decode("latin-1"), data[1:])
                    told.append(one)
                    if one.command == "Q" or not self._answer(connection, one):
                        return
        except OSError:
            return

    def _answer(self, connection: socket.socket, one: Packet) -> bool:
        for reply in self.replies(one):
            if reply == CLOSE:
                return False
            if reply == STALL:
                time.sleep(3600)
            connection.sendall(reply[1:] if reply[:1] == b"\0" else packet(reply))
        return True


# Flags of the negotiation with which a command has no answer.
_SILENT = {
    "L": 0x80, "C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000, "T": 0x10000, "U": 0x20000, "N": 0x40000,
    "B": 0x80000,
}  # fmt: skip
