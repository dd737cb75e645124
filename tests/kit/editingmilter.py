"""A milter that changes every mail in the same way, in a thread (Sendmail's milter protocol, version 6)."""

from __future__ import annotations

import socket
import struct
import threading

_ALL_CHANGES = 0x1FF


class EditingMilter:
    """Listens on 127.0.0.1:`port`; `edits` are its replies at the end of each mail, before `continue`."""

    def __init__(self, *edits: bytes) -> None:
        self._edits = edits
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as packets:
            while len(head := packets.read(4)) == 4:
                command = packets.read(struct.unpack("!I", head)[0])[:1]
                if command == b"Q":
                    return
                for reply in self._replies(command):
                    connection.sendall(struct.pack("!I", len(reply)) + reply)

    def _replies(self, command: bytes) -> tuple[bytes, ...]:
        if command == b"O":
            return (b"O" + struct.pack("!III", 6, _ALL_CHANGES, 0),)
        if command in b"DA":  # macros, abort: no answer
            return ()
        return (*self._edits, b"c") if command == b"E" else (b"c",)
