"""net/https.py, with a web server on loopback."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import deferLater
from twisted.internet.tcp import Client
from twisted.trial.unittest import TestCase

from pytwfix.contracts.dns import Address, NoSuchName
from pytwfix.net import https
from tests.kit.accepting import ZoneResolver
from tests.kit.certificates import authority
from tests.kit.smtploopback import LoopbackHost
from tests.kit.webserver import WebServer, server_side


class Fetching(TestCase):
    """RFC 8461 section 3.3."""

    timeout = 20

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.web = WebServer(server_side("www.dest.example"))
        self.addCleanup(self.web.close)
        self.web.page = b"hello\r\n"
        self.patch(https, "PORT", self.web.address[1])
        self.host: Any = LoopbackHost(reactor, {}, "smtp")
        self.host.resolver = ZoneResolver({("www.dest.example", "A"): [Address(2, "127.0.0.1")]})

    async def fetch(self, timeout: float = 10, limit: int = 1000, by: str = "Test CA") -> https.Page:
        return await https.fetch(self.host, "www.dest.example", "/x.txt", timeout, limit, authority(by))

    async def fails(self, **more: Any) -> str:
        try:
            page = await self.fetch(**more)
        except https.NoPage as error:
            while any(isinstance(one, Client) for one in self.host.reactor.getReaders()):
                await deferLater(self.host.reactor, 0.01)  # what was cut off ends in a later turn
            return str(error)
        raise AssertionError(page)

    async def test_post(self) -> None:
        """RFC 8460 section 5.4: all of it arrives, with its media type; the answer is read."""
        self.web.head = b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\n"
        data = b"\x1f\x8b" + bytes(range(256)) * 2000
        posting = https.Posting(data, "application/tlsrpt+gzip")
        ca = authority()
        self.assertEqual(201, (await https.post(self.host, "www.dest.example", "/r?a=b", posting, 10, 1000, ca)).status)
        self.assertEqual([("application/tlsrpt+gzip", data)], self.web.posted)
        self.assertEqual(["POST /r?a=b HTTP/1.1 www.dest.example"], self.web.asked)

    async def test_post_elsewhere(self) -> None:
        """A port of its own; and nothing is sent to whom we do not trust."""
        port = self.web.address[1]
        self.patch(https, "PORT", 1)
        posting = https.Posting(b"x", "text/plain", port)
        await https.post(self.host, "www.dest.example", "/", posting, 10, 1000, authority())
        self.assertEqual([f"POST / HTTP/1.1 www.dest.example:{port}"], self.web.asked)
        try:
            await https.post(self.host, "www.dest.example", "/", posting, 10, 1000, authority("Other CA"))
        except https.NoPage as error:
            self.assertTrue(error.untrusted)
        else:
            self.fail("it was sent")
        self.assertEqual(1, len(self.web.posted))

    async def test_page(self) -> None:
        self.web.head = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\n"
        self.assertEqual((200, "text/plain", b"hello\r\n"), await self.fetch())
        self.assertEqual(["GET /x.txt HTTP/1.1 www.dest.example"], self.web.asked)

    async def test_status(self) -> None:
        """Nothing is redirected."""
        self.web.head = b"HTTP/1.1 301 Moved\r\nLocation: https://www.dest.example/y.txt\r\n"
        self.assertEqual(301, (await self.fetch()).status)
        self.assertEqual(1, len(self.web.asked))

    async def test_other_authority(self) -> None:
        self.assertEqual("certificate verify failed", await self.fails(by="Other CA"))
        self.assertEqual([], self.web.asked)

    async def test_other_name(self) -> None:
        self.web.context = server_side("other.example")
        self.assertEqual("the certificate is for another name", await self.fails())
        self.assertEqual([], self.web.asked)

    async def test_too_long(self) -> None:
        self.web.page = b"x" * 100_000
        self.assertEqual("more than 1000 bytes", await self.fails())

    async def test_cut_off(self) -> None:
        self.web.cut = 3
        self.assertEqual("the connection was lost", await self.fails())

    async def test_slow(self) -> None:
        self.web.stall = 2
        self.assertEqual("no answer in 1 seconds", await self.fails(timeout=1))

    async def test_not_there(self) -> None:
        self.host.resolver.zone = {}
        self.assertIn("www.dest.example A: not found", await self.fails())
        self.host.resolver.zone = {("www.dest.example", "A"): NoSuchName("n", "A", "Host not found")}
        self.assertIn("Host not found", await self.fails())
        self.host.resolver.zone = {("www.dest.example", "A"): [Address(2, "127.0.0.1")]}
        self.patch(https, "PORT", 1)
        self.assertIn("refused", await self.fails())
