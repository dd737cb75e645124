"""Indexed files made by a real postmap and read by us, and the reverse (MT-1, PM-1 to PM-3)."""

from __future__ import annotations

import os
import subprocess

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pytwfix.tables import berkeley, build
from tests.kit.tables import MemoryTables

POSTMAP = "/usr/sbin/postmap"
ENTRIES = {
    b"a.example": b"OK",
    b"user@b.example": b"x, y",
    "é@c.example".encode(): "ü".encode(),
    b"k" * 300: b"v" * 3000,
}


class RealPostmapTests(SynchronousTestCase):
    def setUp(self) -> None:
        if not os.access(POSTMAP, os.X_OK):
            raise SkipTest(f"there is no real postmap at {POSTMAP}")
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)
        with open(self.directory + "/main.cf", "w") as file:
            file.write("compatibility_level = 3.6\nmyhostname = h.example\n")
        os.utime(self.directory + "/main.cf", (1, 1))  # Postfix's commands wait for a file that has just changed
        self.tables = MemoryTables()

    def real(self, *arguments: str, stdin: bytes = b"", command: str = POSTMAP) -> bytes:
        run = subprocess.run([command, "-c", self.directory, *arguments], input=stdin, capture_output=True, timeout=30)
        self.assertEqual(run.stderr, b"", arguments)
        return run.stdout

    def kind(self, kind: str) -> str:
        types = subprocess.run(["postconf", "-m"], capture_output=True, text=True).stdout.split()
        if kind not in types:
            raise SkipTest(f"the real Postfix does not know {kind}")
        if kind in ("hash", "btree") and berkeley.db is None:
            raise SkipTest("the package berkeleydb is not installed")
        return f"{kind}:{self.directory}/{kind}"

    def we_read(self, kind: str) -> None:
        for flags in ((), ("-N",), ("-n",)):
            name = self.kind(kind)
            with open(f"{self.directory}/{kind}", "wb") as file:
                file.writelines(key + b"\t" + value + b"\n" for key, value in ENTRIES.items())
            self.real(*flags, name)
            table = self.tables.driver(name)
            for key, value in ENTRIES.items():
                self.assertEqual(table.get(key), value, (kind, flags))
            self.assertEqual(dict(table.items()), ENTRIES)
            self.assertIsNone(table.get(b"none"))
            table.close()

    def they_read(self, kind: str) -> None:
        name = self.kind(kind)
        for nul in (True, False):
            build.create(self.tables.context, kind, f"{self.directory}/{kind}", dict(ENTRIES), 0o644, nul)
            asked = b"".join(key + b"\n" for key in ENTRIES)
            answered = b"".join(key + b"\t" + value + b"\n" for key, value in ENTRIES.items())
            self.assertEqual(self.real("-q", "-", name, stdin=asked), answered)
            if kind != "cdb":  # real Postfix does not list these
                self.assertEqual(len(self.real("-s", name).splitlines()), len(ENTRIES))

    def test_hash(self) -> None:
        self.we_read("hash")
        self.they_read("hash")

    def test_btree(self) -> None:
        self.we_read("btree")
        self.they_read("btree")

    def test_cdb(self) -> None:
        self.we_read("cdb")
        self.they_read("cdb")

    def test_lmdb(self) -> None:
        """MT-1: also while ours is open: Postfix changes the file in place."""
        self.we_read("lmdb")
        self.they_read("lmdb")
        name = self.kind("lmdb")
        self.real(name)
        table = self.tables.driver(name)
        self.addCleanup(table.close)
        self.assertEqual(table.get(b"a.example"), b"OK")
        self.real("-i", name, stdin=b"added.example yes\n")
        self.assertEqual(table.get(b"added.example"), b"yes")
        self.real("-i", name, stdin=b"".join(b"grow%d.example %s\n" % (i, b"x" * 1000) for i in range(3000)))
        self.assertEqual(table.get(b"grow2999.example"), b"x" * 1000)

    def test_both_change_an_lmdb_file(self) -> None:
        name = self.kind("lmdb")
        build.create(self.tables.context, "lmdb", f"{self.directory}/lmdb", {b"a": b"1"}, 0o644, True)
        table = self.tables.open_writable(name)
        self.addCleanup(table.close)
        for number in range(5):
            self.successResultOf(table.update(b"ours%d" % number, b"1"))
            self.real("-i", name, stdin=b"theirs%d 1\n" % number)
        self.assertEqual(len(self.real("-s", name).splitlines()), 11)
        self.assertEqual(len(list(table.items())), 11)
