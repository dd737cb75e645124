"""resolv.conf (SM-3): what it says, and that a change is noticed."""

from __future__ import annotations

import os

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.disk import Disk
from pytwfix.net.dnsconfig import Config, ConfigFile, Server, parse
from tests.kit.host import InstantThreads

TEXT = """\
# comment
; comment
search a.example b.example.
nameserver 192.0.2.1 # first
nameserver 2001:db8::1
nameserver 192.0.2.2
nameserver 192.0.2.3
options timeout:2 attempts:9 rotate ndots:2 edns0 use-vc
sortlist x
nameserver
"""


class TestParse(SynchronousTestCase):
    def test_all(self) -> None:
        """resolv.conf(5): at most three servers, limits of the options."""
        config = parse(TEXT)
        self.assertEqual(config.servers, (Server("192.0.2.1"), Server("2001:db8::1"), Server("192.0.2.2")))
        self.assertEqual((config.timeout, config.attempts, config.rotate, config.tcp), (2.0, 5, True, True))
        self.assertEqual((config.search, config.ndots), (("a.example", "b.example"), 2))

    def test_nothing(self) -> None:
        """Without anything: this machine, its own domain."""
        self.assertEqual(parse("", "d.example"), Config(search=("d.example",)))
        self.assertEqual(parse("options timeout:x attempts:-1"), Config())


class TestFile(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.path = self.mktemp()

    def write(self, server: str) -> None:
        with open(self.path + ".new", "w") as file:
            file.write(f"nameserver {server}\n")
        os.rename(self.path + ".new", self.path)

    def current(self, config: ConfigFile) -> str:
        found = config.current()
        settled = self.successResultOf(found) if isinstance(found, Deferred) else found
        return settled.servers[0].address

    def test_changes(self) -> None:
        """Read on the first question; looked at again after a while; kept when it has gone."""
        self.write("192.0.2.1")
        config = ConfigFile(InstantThreads(), Disk(), self.clock.seconds, self.path)
        self.assertEqual(self.current(config), "192.0.2.1")
        self.write("192.0.2.22")
        self.assertEqual(self.current(config), "192.0.2.1")
        self.clock.advance(10)
        self.current(config)
        self.assertEqual(self.current(config), "192.0.2.22")
        os.unlink(self.path)
        self.assertEqual(self.successResultOf(config.read()).servers[0].address, "192.0.2.22")

    def test_missing(self) -> None:
        """No file: this machine."""
        config = ConfigFile(InstantThreads(), Disk(), self.clock.seconds, self.path)
        self.assertEqual(self.current(config), "127.0.0.1")
