"""hash, btree, lmdb, cdb, texthash: made, read, changed under our eyes (MT-1, MT-5, PM-3, PM-4, PM-7, SV-4)."""

from __future__ import annotations

import fcntl
import os
import signal

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pytwfix.contracts.tables import DEFAULT_FLAGS, RHS_IS_FILE, TRUSTED_OWNER, TableMisconfigured, TableUnavailable
from pytwfix.tables import berkeley, build, lmdbtable
from pytwfix.tables.cdb import Reader, cdb_hash
from pytwfix.tables.driver import Driver, TableBusy
from pytwfix.tables.textsource import entries, folder, key_and_value, logical_lines
from tests.kit.tables import MemoryTables, replace_file

KINDS = ("cdb", "lmdb", "hash", "btree")  # the last two by Berkeley DB, or by lmdb where there is none


class SourceTests(SynchronousTestCase):
    """PM-3: the text."""

    def test_logical_lines(self) -> None:
        text = b"# c\nk1 v1\n  v2\n# c\n\tv3\n\n v4\nk2\n v\n"
        self.assertEqual(list(logical_lines(text)), [(2, b"k1 v1  v2\tv3 v4"), (8, b"k2 v")])

    def test_keys(self) -> None:
        self.assertEqual(key_and_value(b"a\t b c \r"), (b"a", b"b c"))
        self.assertEqual(key_and_value(b'"a b"@c d'), (b'"a b"@c', b"d"))
        self.assertEqual(key_and_value(b"a"), (b"a", b""))

    def test_warnings(self) -> None:
        warnings: list[str] = []
        text = b' a b\nc\n"d e\nf: g\n\xe9 h\ni j\n'
        found = list(entries(b"x y\n" + text, "t", warnings.append))
        self.assertEqual(found, [(1, b"x", b"y a b"), (5, b"f:", b"g"), (7, b"i", b"j")])
        self.assertEqual(warnings, [
            "t, line 3: expected format: key whitespace value",
            "t, line 4: unbalanced '\"' in '\"d e' -- ignoring this line",
            't, line 5: record is in "key: value" format; is this an alias file?',
            't, line 6: non-UTF-8 input "? h" -- ignoring this line',
        ])


class FileCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)
        self.tables = MemoryTables({"data_directory": self.directory})
        self.source = self.directory + "/t"

    def make(self, kind: str, nul: bool = True, **values: str) -> None:
        content = [(key.encode(), value.encode()) for key, value in values.items()]
        build.create(self.tables.context, kind, self.source, dict(content), 0o640, nul)

    def open(self, kind: str) -> Driver:
        driver = self.tables.driver(f"{kind}:{self.source}")
        self.addCleanup(driver.close)
        return driver


class IndexedTests(FileCase):
    def test_round_trip(self) -> None:
        """MT-1: with and without NUL at the end; keys are folded; an empty key is not there."""
        for kind in KINDS:
            for nul in (True, False):
                self.make(kind, nul, a="1", b="2")
                table = self.open(kind)
                self.assertEqual([table.get(key) for key in (b"a", b"B", b"c", b"")], [b"1", b"2", None, None], kind)
                self.assertEqual(sorted(table.items()), [(b"a", b"1"), (b"b", b"2")])
                table.close()

    def test_mode(self) -> None:
        """PM-4: the source's read permissions."""
        for kind in KINDS:
            self.make(kind, a="1")
            self.assertEqual(os.stat(build.table_path(kind, self.source)).st_mode & 0o777, 0o640, kind)
        self.assertEqual(os.listdir(self.directory).count("t.cdb"), 1)
        self.assertFalse([name for name in os.listdir(self.directory) if ".tmp" in name])

    def test_source_mode(self) -> None:
        replace_file(self.source, b"")
        os.chmod(self.source, 0o600)
        self.assertEqual(build.source_mode(os.stat(self.source), False), 0o600)
        os.chmod(self.source, 0o664)
        self.assertEqual(build.source_mode(os.stat(self.source), False), 0o644)
        self.assertEqual(build.source_mode(os.stat(self.source), True), 0o644)

    def test_a_new_file_is_seen(self) -> None:
        """SV-4: within a second, without an end of the process."""
        for kind in KINDS:
            self.make(kind, a="old")
            table = self.open(kind)
            self.assertEqual(table.get(b"a"), b"old")
            self.make(kind, a="new", b="more")
            self.tables.clock.advance(1.5)
            self.assertEqual([table.get(b"a"), table.get(b"b")], [b"new", b"more"], kind)

    def test_a_broken_file_is_not_taken(self) -> None:
        """SV-4: the old content stays, and the log says so."""
        for kind in KINDS:
            self.make(kind, a="old")
            table = self.open(kind)
            table.get(b"a")
            replace_file(build.table_path(kind, self.source), b"this is no database")
            self.tables.clock.advance(1.5)
            self.assertEqual(table.get(b"a"), b"old", kind)
            self.assertIn("stays in use", self.tables.log.lines[-1])
            os.unlink(build.table_path(kind, self.source))

    def test_duplicates(self) -> None:
        """PM-3: the first of two stays, with a warning, unless asked otherwise."""
        rows = [(1, b"a", b"1"), (2, b"A", b"2")]
        warnings: list[str] = []
        fold = folder(True, True)
        self.assertEqual(build.collect(rows, fold, "warn", "t.db", warnings.append), {b"a": b"1"})
        self.assertEqual(warnings, ['t.db: duplicate entry: "a"'])
        self.assertEqual(build.collect(rows, fold, "replace", "t.db", warnings.append), {b"a": b"2"})
        self.assertEqual(build.collect(rows, folder(False, True), "warn", "t", warnings.append),
                         {b"a": b"1", b"A": b"2"})

    def test_updates(self) -> None:
        """PM-1: -i and -d; a table that programs write (contracts/tables.py)."""
        for kind in KINDS:
            if kind == "cdb":
                continue
            source = f"{self.source}-{kind}"
            table = self.tables.open_writable(f"{kind}:{source}")
            self.addCleanup(table.close)
            self.successResultOf(table.update(b"k", b"v"))
            self.successResultOf(table.update(b"l", b"w"))
            self.assertEqual(self.successResultOf(table.lookup(b"K")), b"v", kind)
            self.assertTrue(self.successResultOf(table.delete(b"K")))
            self.assertFalse(self.successResultOf(table.delete(b"k")))
            self.assertEqual(list(table.items()), [(b"l", b"w")])

    def test_updates_fold(self) -> None:
        """LK-2, LK-10: a key is folded when it is written as when it is read, whatever the type."""
        wide = "STRASSE \u00c4".encode()
        for kind in ("lmdb", "hash", "internal"):
            table = self.tables.open_writable(f"{kind}:{self.source}-fold-{kind}")
            self.addCleanup(table.close)
            for key in (b"Key@Example.COM", wide):
                self.successResultOf(table.update(key, b"v"))
                self.assertEqual(self.successResultOf(table.lookup(key)), b"v", kind)
                self.assertEqual(self.successResultOf(table.lookup(key.decode().lower().encode())), b"v", kind)
            self.assertTrue(self.successResultOf(table.delete("strasse \u00e4".encode())), kind)
            self.assertEqual(list(table.items()), [(b"key@example.com", b"v")])

    def test_cdb_is_read_only(self) -> None:
        self.make("cdb", a="1")
        self.failureResultOf(self.tables.open_writable(f"cdb:{self.source}").update(b"a", b"2"))

    def test_cdb_hash(self) -> None:
        """The published function: h = h * 33 ^ c, from 5381."""
        self.assertEqual(cdb_hash(b""), 5381)
        self.assertEqual(cdb_hash(b"a"), 177604)

    def test_broken_cdb(self) -> None:
        path = self.directory + "/x.cdb"
        replace_file(path, b"short")
        self.assertRaises(ValueError, Reader, path)
        replace_file(path, b"\xff" * 4096)
        table = self.tables.driver(f"cdb:{self.directory}/x")
        self.assertRaises(TableUnavailable, table.get, b"a")

    def test_texthash(self) -> None:
        """MT-5, SV-4: text in memory, read again when it changes."""
        replace_file(self.source, b"A 1\na 2\n")
        table = self.open("texthash")
        self.assertEqual(table.get(b"a"), b"1")
        self.assertEqual(self.tables.log.lines, [f'warning: {self.source}, line 2: duplicate entry: "a"'])
        replace_file(self.source, b"a 333\n")
        self.tables.clock.advance(1.5)
        self.assertEqual(table.get(b"a"), b"333")


class FlagTests(FileCase):
    def test_files_as_values(self) -> None:
        """LK-11: base64 in an indexed file, names of files in a text."""
        replace_file(self.directory + "/one", b"1\n")
        replace_file(self.directory + "/two", b"2\n")
        value = f"{self.directory}/one, {self.directory}/two"
        flags = DEFAULT_FLAGS | RHS_IS_FILE
        replace_file(self.source, f"k {value}\n".encode())
        self.assertEqual(self.tables.driver(f"texthash:{self.source}", flags).get(b"k"), b"1\n\n2\n")
        rows = list(build.with_files([(1, b"k", value.encode())], "t", self.fail))
        build.create(self.tables.context, "cdb", self.source, dict(row[1:] for row in rows), 0o600, False)
        self.assertEqual(self.tables.driver(f"cdb:{self.source}", flags).get(b"k"), b"1\n\n2\n")
        build.create(self.tables.context, "cdb", self.source, {b"k": b"no base64!"}, 0o600, False)
        self.assertRaises(TableMisconfigured, self.tables.driver(f"cdb:{self.source}", flags).get, b"k")

    def test_owner(self) -> None:
        """LO-1, RX-8: whose file it is; only root's and the mail owner's where that matters."""
        replace_file(self.source, b"k v\n")
        self.assertEqual(self.tables.driver(f"texthash:{self.source}").owner(), os.getuid())
        self.assertEqual(self.tables.driver("static:x").owner(), 0)
        flags = DEFAULT_FLAGS | TRUSTED_OWNER
        self.patch(self.tables, "_trusted", lambda: (os.getuid() + 1,))
        self.assertRaises(TableMisconfigured, self.tables.driver, f"texthash:{self.source}", flags)
        self.patch(self.tables, "_trusted", lambda: (os.getuid(),))
        self.tables.driver(f"texthash:{self.source}", flags)


class LmdbTests(FileCase):
    def test_one_environment_a_file(self) -> None:
        """MT-1: whoever names the file shares it."""
        self.make("lmdb", a="1")
        first, second = self.open("lmdb"), self.open("lmdb")
        self.assertIs(first._environment, second._environment)  # type: ignore[attr-defined]
        first.close()
        self.assertEqual(second.get(b"a"), b"1")
        second.close()
        self.assertNotIn(first._environment.identity, lmdbtable._environments)  # type: ignore[attr-defined]
        self.open("lmdb")

    def test_reads_while_another_writes(self) -> None:
        """MT-1: a locked file does not stop the reactor."""
        self.make("lmdb", a="1")
        table = self.open("lmdb")
        ready, tell = os.pipe()
        child = os.fork()
        if child == 0:
            with open(self.source + ".lmdb", "r+b") as file:
                fcntl.lockf(file, fcntl.LOCK_EX)
                os.write(tell, b"x")
                signal.pause()
            os._exit(0)
        try:
            self.assertEqual(os.read(ready, 1), b"x")
            self.assertEqual(table.get(b"a"), b"1")
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(ready)
            os.close(tell)

    def test_grows(self) -> None:
        """MT-1: a full map is made bigger."""
        self.tables.main["lmdb_map_size"] = "32768"
        table = self.tables.open_writable(f"lmdb:{self.source}")
        self.addCleanup(table.close)
        for number in range(200):
            self.successResultOf(table.update(b"key%d" % number, b"v" * 1000))
        self.assertEqual(self.successResultOf(table.lookup(b"key7")), b"v" * 1000)
        self.assertGreater(os.path.getsize(self.source + ".lmdb"), 32768)

    def test_long_key(self) -> None:
        self.make("lmdb", a="1")
        self.assertIsNone(self.open("lmdb").get(b"k" * 2000))

    def test_batch(self) -> None:
        table = build.open_for_update(self.tables.context, "lmdb", self.source, DEFAULT_FLAGS, make=True)
        self.addCleanup(table.close)
        build.add(table, [(1, b"a", b"1"), (2, b"a", b"2")], "warn", "lmdb:t", self.tables.log.warning)
        self.assertEqual(table.get(b"a"), b"1")
        self.assertEqual(self.tables.log.lines, ['warning: lmdb:t: duplicate entry: "a"'])


class BerkeleyTests(FileCase):
    def setUp(self) -> None:
        super().setUp()
        if berkeley.db is None:
            raise SkipTest("the package berkeleydb is not installed")

    def test_busy(self) -> None:
        """MT-1: a file that another program is writing is asked again in a thread."""
        self.make("hash", a="1")
        table = self.open("hash")
        with open(self.source + ".db", "rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            self.assertRaises(TableBusy, table.get, b"a")
            self.patch(table, "wait_for_writer", lambda: fcntl.flock(other, fcntl.LOCK_UN))
            self.assertEqual(table.get_waiting(b"a"), b"1")

    def test_label(self) -> None:
        self.make("hash", a="1")
        self.assertEqual(self.open("hash").label, f"hash:{self.source}.db")
