"""Nothing that a client puts into a mail comes out of the next hop as a second mail (SD-19, OB-7)."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from tests.dialogs.smuggling import variants
from tests.integration.world import World, WorldCase, in_each_mode, new_token

_PATIENCE = 30


class Strict(World):
    """Trusts nobody's line ends, not even our own networks'."""

    def main(self) -> Mapping[str, str]:
        return {"smtpd_forbid_bare_newline_exclusions": ""}


@in_each_mode
class Smuggling(WorldCase):
    world_class = Strict

    def test_matrix(self) -> None:
        """In by DATA and by BDAT, out to a server that takes any line end for one."""
        chosen = variants()
        tokens = []
        with socket.create_connection(("127.0.0.1", self.world.port), _PATIENCE) as connection:
            stream = connection.makefile("rb")
            self.assertEqual(b"220", stream.readline()[:3])
            self._say(connection, stream, b"EHLO x\r\n")
            for number, content in enumerate(chosen):
                tokens.append(new_token())
                self._send(connection, stream, b"X-Token: %b\r\n" % tokens[-1].encode() + content, number % 2 == 1)
        for token, content in zip(tokens, chosen, strict=True):
            message = self.world.got(token, seconds=60)
            self.assertEqual("a@there.example", message.sender, content)
        senders = {message.sender for message in self.world.sink.messages}
        self.assertNotIn("smuggler@evil.example", senders)

    def _send(self, connection: socket.socket, stream: object, content: bytes, chunked: bool) -> None:
        self._say(connection, stream, b"MAIL FROM:<a@there.example>\r\n")
        self._say(connection, stream, b"RCPT TO:<user@far.example>\r\n")
        if chunked:
            self._say(connection, stream, b"BDAT %d LAST\r\n" % len(content) + content)
        else:
            self._say(connection, stream, b"DATA\r\n")
            self._say(connection, stream, content + b".\r\n")

    def _say(self, connection: socket.socket, stream: object, data: bytes) -> None:
        connection.sendall(data)
        while True:
            line: bytes = stream.readline()  # type: ignore[attr-defined]
            self.assertIn(line[:1], (b"2", b"3"), f"{data!r}: {line!r}")
            if line[3:4] != b"-":
                return
