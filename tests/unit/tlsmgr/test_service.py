"""tlsmgr keeps sessions (TM-1, TL-5)."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.tlsmgr import service
from pytwfix.tlsmgr.service import TlsmgrService
from tests.kit.host import MemoryHost


class Sessions(SynchronousTestCase):
    def make(self, **main: str) -> TlsmgrService:
        self.host = MemoryHost(main, "tlsmgr", "tlsmgr")
        made = TlsmgrService(self.host)
        made.startService()
        self.addCleanup(made.stopService)
        return made

    def look(self, made: TlsmgrService, key: str, cache: str = "smtp") -> bytes | None:
        return self.successResultOf(made.lookup(cache, key))

    def test_memory(self) -> None:
        """TM-1: update, lookup, delete; caches are apart."""
        made = self.make()
        self.assertIsNone(self.look(made, "k"))
        made.update("smtp", "k", b"session")
        self.assertEqual(b"session", self.look(made, "k"))
        self.assertIsNone(self.look(made, "k", "lmtp"))
        made.delete("smtp", "k")
        self.assertIsNone(self.look(made, "k"))

    def test_timeout(self) -> None:
        """TL-5: a session is as old as its timeout allows, and no older."""
        made = self.make(smtp_tls_session_cache_timeout="100s")
        made.update("smtp", "k", b"session")
        self.host.clock.advance(99)
        self.assertEqual(b"session", self.look(made, "k"))
        self.host.clock.advance(1)
        self.assertIsNone(self.look(made, "k"))

    def test_bounded(self) -> None:
        self.patch(service, "MOST", 3)
        made = self.make()
        for number in range(5):
            made.update("smtp", str(number), b"x")
        self.assertEqual([None, None, b"x", b"x", b"x"], [self.look(made, str(number)) for number in range(5)])

    def test_table(self) -> None:
        """TM-1: a table keeps sessions over a restart; old ones are swept out of it."""
        directory = os.path.abspath(self.mktemp())
        os.makedirs(directory)
        main = {"smtp_tls_session_cache_database": f"lmdb:{directory}/smtp_scache"}
        made = self.make(**main)
        made.update("smtp", "k", b"a:b\0c")
        made.update("smtp", "Key", b"x")
        self.assertEqual(b"a:b\0c", self.look(self.make(**main), "k"))
        self.assertEqual(b"x", self.look(self.make(**main), "Key"))
        again = self.make(**main)
        self.look(again, "k")
        self.look(again, "Key")
        self.host.clock.advance(5000)
        self.assertIsNone(self.look(again, "k"))
        table = self.host.tables.open_writable(main["smtp_tls_session_cache_database"], 0)
        self.assertEqual([], list(table.items()))

    def test_broken_table(self) -> None:
        """What the table cannot do is said once; memory goes on."""
        made = self.make(smtp_tls_session_cache_database="lmdb:/nonexistent/scache")
        made.update("smtp", "k", b"x")
        made.update("smtp", "l", b"y")
        self.assertEqual((b"x", b"y"), (self.look(made, "k"), self.look(made, "l")))
        self.assertEqual(1, len([line for line in self.host.log.lines if "in memory only" in line]))

    def test_unknown_cache(self) -> None:
        self.assertRaises(ValueError, self.make().lookup, "nosuch", "k")
