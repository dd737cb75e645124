"""hash: and btree: without Berkeley DB: from an LMDB file beside, or from the text (MT-1, PR-3)."""

from __future__ import annotations

import os
import shutil
import tempfile

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables import berkeley, build
from pytwfix.tables.driver import Driver, TableBusy
from pytwfix.tables.migration import named, prepare
from pytwfix.tables.substitute import Beside, FromText, made_path
from tests.kit.tables import MemoryTables, replace_file


class WithoutBerkeley(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(berkeley, "db", None)
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)
        self.tables = MemoryTables({"data_directory": self.directory + "/data"})
        os.mkdir(self.directory + "/data")
        self.source = self.directory + "/t"

    def open(self, kind: str = "hash") -> Driver:
        driver = self.tables.driver(f"{kind}:{self.source}")
        self.addCleanup(driver.close)
        return driver

    def beside(self, kind: str, value: bytes) -> None:
        build.create(self.tables.context, kind, self.source, {b"a": value}, 0o644, True)


class Served(WithoutBerkeley):
    def test_from_text(self) -> None:
        """SV-4: and from the new text when it changes, which is read where waiting harms nobody."""
        replace_file(self.source, b"A 1\n")
        table = self.open()
        self.assertIsInstance(table, FromText)
        self.assertEqual(table.get(b"a"), b"1")
        self.assertEqual(sorted(os.listdir(self.directory)), ["data", "t"])
        replace_file(self.source, b"a 22\n")
        self.tables.clock.advance(1.5)
        self.assertRaises(TableBusy, table.get, b"a")
        self.assertEqual(table.get_waiting(b"a"), b"22")
        self.assertEqual(table.get(b"a"), b"22")

    def test_in_another_table(self) -> None:
        replace_file(self.source, b"a b\nb c\n")
        for name, answers in (
            (f"pipemap:{{hash:{self.source},hash:{self.source}}}", (b"c", b"d")),
            (f"debug:hash:{self.source}", (b"b", b"b")),
        ):
            replace_file(self.source, b"a b\nb c\n")
            table = self.tables.driver(name)
            self.addCleanup(table.close)
            self.assertEqual(table.get_waiting(b"a"), answers[0])
            replace_file(self.source, b"a b\nb d\n#\n")
            self.tables.clock.advance(1.5)
            self.assertEqual(table.get_waiting(b"a"), answers[1])

    def test_a_text_that_goes(self) -> None:
        """LK-13: what was read stays in use."""
        replace_file(self.source, b"a 1\n")
        table = self.open()
        os.mkdir(self.source + "2")
        os.unlink(self.source)
        os.rename(self.source + "2", self.source)
        self.tables.clock.advance(1.5)
        self.assertEqual(table.get_waiting(b"a"), b"1")
        self.assertIn("the old content of", self.tables.log.lines[-1])

    def test_from_aliases(self) -> None:
        """LO-2: the text of aliases has a format of its own."""
        self.tables.main["alias_maps"] = f"proxy:hash:{self.source}"
        replace_file(self.source, b"root: admin\n")
        self.assertEqual(self.open().get(b"root"), b"admin")

    def test_from_lmdb(self) -> None:
        """PM-1: what postmap has made comes first, also when the text is newer."""
        for kind in ("hash", "btree", "lmdb"):
            self.beside(kind, kind.encode())
            replace_file(self.source, b"a text\n")
            table = self.open()
            self.assertIsInstance(table, Beside)
            self.assertEqual(table.label, f"hash:{self.source}.db")
            self.assertEqual(table.get(b"a"), kind.encode())
        self.assertEqual(sorted(os.listdir(self.directory)), ["data", "t", "t.lmdb"])

    def test_writable(self) -> None:
        """A cache is made when it is opened."""
        table = self.tables.open_writable(f"btree:{self.source}")
        self.addCleanup(table.close)
        self.successResultOf(table.update(b"k", b"v"))
        self.assertEqual(self.open("btree").get(b"k"), b"v")

    def test_nothing(self) -> None:
        """LK-13, PM-5: said as by Postfix; a file that only Berkeley DB can read is said to be one."""
        failure = self.failureResultOf(self.tables.open(f"hash:{self.source}").lookup(b"a"), TableUnavailable)
        self.assertEqual(failure.value.reason, f"open database {self.source}.db: No such file or directory")
        replace_file(self.source + ".db", b"berkeley")
        failure = self.failureResultOf(self.tables.open(f"btree:{self.source}").lookup(b"a"), TableMisconfigured)
        self.assertIn("pip install 'pytwfix[berkeleydb]'", failure.value.reason)

    def test_commands_make_nothing(self) -> None:
        """PM-5: postmap -q asks what is there."""
        replace_file(self.source, b"a 1\n")
        self.tables.context.makes = False
        self.assertRaises(TableUnavailable, self.open)
        prepare(self.tables.context, [f"hash:{self.source}"])
        self.assertEqual(self.open().get(b"a"), b"1")


class Preparing(WithoutBerkeley):
    def test_named(self) -> None:
        self.assertEqual(
            named(["proxy:hash:/a, btree:/b", "pipemap:{hash:/c,hash:/a}", "texthash:/d lmdb:/e", "hash:rel"]),
            [("hash", "/a"), ("btree", "/b"), ("hash", "/c")],
        )

    def test_said_once(self) -> None:
        """MT-1: each table, and where it is served from; a cache that is not there yet is no table yet."""
        replace_file(self.source, b"a 1\n")
        prepare(self.tables.context, [f"hash:{self.source}, hash:{self.source}", f"btree:{self.directory}/cache"])
        made = made_path(self.tables.context, self.source) + ".lmdb"
        line = f"there is no Berkeley DB here (pip install 'pytwfix[berkeleydb]'): served from {made}"
        self.assertEqual(self.tables.log.lines, [f"hash:{self.source}: {line}"])
        before = os.stat(made)
        self.assertEqual(self.open().get(b"a"), b"1")
        prepare(self.tables.context, [f"hash:{self.source}"], (os.getuid(), os.getgid()))
        self.assertEqual(os.stat(made).st_ino, before.st_ino)
        self.assertEqual(os.stat(made).st_mtime_ns, os.stat(self.source).st_mtime_ns)

    def test_owner(self) -> None:
        """Who reads it has it; root makes it for him."""
        if os.geteuid() != 0:
            raise SkipTest("needs root")
        directory = tempfile.mkdtemp()  # where the owner may come
        self.addCleanup(shutil.rmtree, directory)
        os.chmod(directory, 0o755)
        os.mkdir(directory + "/data")
        os.chown(directory + "/data", 1, 1)
        self.tables.context.data_directory = directory + "/data"
        replace_file(self.source, b"a 1\n")
        os.chmod(self.source, 0o600)
        prepare(self.tables.context, [f"hash:{self.source}"], (1, 1))
        status = os.stat(made_path(self.tables.context, self.source) + ".lmdb")
        self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o777), (1, 1, 0o600))
        self.assertEqual(os.geteuid(), 0)

    def test_beside(self) -> None:
        self.beside("hash", b"1")
        prepare(self.tables.context, [f"hash:{self.source}"])
        self.assertIn(f"served from {self.source}.lmdb", self.tables.log.lines[0])

    def test_what_cannot_be_made(self) -> None:
        """LK-13: is logged, and the rest is made."""
        os.mkdir(self.source)
        prepare(self.tables.context, [f"hash:{self.source}"])
        self.assertIn("Is a directory", self.tables.log.lines[0])

    def test_with_berkeley(self) -> None:
        self.patch(berkeley, "db", object())
        replace_file(self.source, b"a 1\n")
        prepare(self.tables.context, [f"hash:{self.source}"])
        self.assertEqual(self.tables.log.lines, [])
