"""A web server with TLS on loopback, for one page: what it says, and how it fails, can be chosen."""

from __future__ import annotations

import socket
import socketserver
import ssl
import tempfile
import threading
import time

from tests.kit.certificates import leaf


def server_side(*names: str, by: str = "Test CA") -> ssl.SSLContext:
    """TLS with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(leaf(*names, by=by)))
        file.flush()
        context.load_cert_chain(file.name)
    return context


class WebServer:
    """`asked` are request lines with the host; `page` is what they get, `head` goes before it. `posted` is what
    was sent here, with its media type."""

    def __init__(self, context: ssl.SSLContext, address: str = "127.0.0.1", port: int = 0) -> None:
        self.page = b""
        self.head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
        self.stall = 0.0  # seconds before an answer
        self.cut = 0  # bytes of the page that are never sent
        self.asked: list[str] = []
        self.posted: list[tuple[str, bytes]] = []
        self.context = context
        self._server = _Server((address, port), self)
        self.address: tuple[str, int] = self._server.server_address  # type: ignore[assignment]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            with self.context.wrap_socket(connection, server_side=True) as secure:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = secure.recv(4096)
                    if not piece:
                        return
                    request += piece
                head, _, body = request.partition(b"\r\n\r\n")
                first, *lines = head.decode("ascii").split("\r\n")
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                while len(body) < int(fields.get("content-length", "0")):
                    piece = secure.recv(65536)
                    if not piece:
                        return
                    body += piece
                if body:
                    self.posted.append((fields.get("content-type", ""), body))
                self.asked.append(f"{first} {fields['host']}")
                time.sleep(self.stall)
                page = self.head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(self.page) + self.page
                secure.sendall(page[: len(page) - self.cut])
        except OSError:
            pass  # the client did not like the certificate, or has seen enough


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], web: WebServer) -> None:
        self.web = web
        super().__init__(address, _Handler)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.web.serve(self.request)
