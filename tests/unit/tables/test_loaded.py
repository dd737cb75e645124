"""Tables in memory: read in a thread when big, and again when their file changes (SV-4, MT-2 to MT-5)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.tables import TableUnavailable
from pytwfix.tables.loaded import BIG
from tests.kit.tables import MemoryTables, replace_file

STAYS = "the old content of {} stays in use"


class HeldThreads:
    """IThreads: calls are made when the test says so."""

    def __init__(self) -> None:
        self.held: list[Callable[[], None]] = []

    def run(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.held.append(lambda: _chain(maybeDeferred(function, *args), done))
        return done

    def go(self) -> None:
        while self.held:
            self.held.pop(0)()


def _chain(made: Deferred[Any], done: Deferred[Any]) -> None:
    made.chainDeferred(done)


class LoadedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = MemoryTables()
        self.path = os.path.abspath(self.mktemp())

    def write(self, *lines: str) -> None:
        replace_file(self.path, "".join(f"{line}\n" for line in lines).encode())

    def later(self, *lines: str) -> None:
        """The file is another one, and the time has come to look."""
        self.write(*lines)
        self.tables.clock.advance(1.5)

    def errors(self) -> list[str]:
        return [line for line in self.tables.log.lines if "stays in use" in line]


class ChangeTests(LoadedTests):
    """SV-4: without a reload."""

    def test_new_content(self) -> None:
        """MT-2 to MT-5, SV-4: a changed file is read again."""
        for kind, old, new, key in (
            ("cidr", "10.0.0.0/8 a", "10.0.0.0/8 b", b"10.1.1.1"),
            ("regexp", "/x/ a", "/x/ b", b"x"),
            ("texthash", "x a", "x b", b"x"),
        ):
            self.write(old)
            table = self.tables.driver(f"{kind}:{self.path}")
            self.assertEqual(table.get(key), b"a")
            self.later(new, "# another size")
            self.assertEqual(table.get(key), b"b", kind)
            self.assertEqual(self.tables.log.lines, [])

    def test_faulty(self) -> None:
        """SV-4: a new file with more faulty lines than before is logged, and the old content stays; a better one is
        taken."""
        for kind, good, bad, key in (
            ("cidr", "10.0.0.0/8 a", "10.0.0/8 b", b"10.1.1.1"),
            ("regexp", "/x/ a", "/x b", b"x"),
            ("texthash", "x a", "x", b"x"),
        ):
            self.tables.log.lines.clear()
            self.write(good, bad)
            table = self.tables.driver(f"{kind}:{self.path}")
            self.later(bad, bad)
            self.assertEqual(table.get(key), b"a", kind)
            self.assertIn(f"{self.path}: 2 faulty lines; {STAYS.format(table.name)}", self.errors()[0])
            self.later(good.replace(" a", " c"))
            self.assertEqual(table.get(key), b"c", kind)

    def test_gone_or_unreadable(self) -> None:
        """SV-4: a file that goes away leaves the old content; a new one is taken."""
        self.write("x a")
        table = self.tables.driver(f"texthash:{self.path}")
        os.unlink(self.path)
        self.tables.clock.advance(1.5)
        self.assertEqual(table.get(b"x"), b"a")
        os.mkdir(self.path)
        self.tables.clock.advance(1.5)
        self.assertEqual(table.get(b"x"), b"a")
        self.assertIn(STAYS.format(table.name), self.errors()[0])
        os.rmdir(self.path)
        self.later("x b")
        self.assertEqual(table.get(b"x"), b"b")


class BigTests(LoadedTests):
    def setUp(self) -> None:
        super().setUp()
        self.threads = HeldThreads()
        self.tables._threads = self.threads
        self.tables.context._run = self.threads.run
        self.filler = "#" * BIG

    def test_first_reading(self) -> None:
        """MT-4: a big file is read in a thread; questions wait, one thread for all of them, and are answered then."""
        self.write("10.0.0.0/8 a", self.filler)
        table = self.tables.open(f"cidr:{self.path}")
        answers = [table.lookup(b"10.0.0.1") for _ in range(5)]
        self.assertLessEqual(len(self.threads.held), 2)
        self.assertNoResult(answers[0])
        self.threads.go()
        self.assertEqual([self.successResultOf(answer) for answer in answers], [b"a"] * 5)
        self.assertEqual(self.successResultOf(table.lookup(b"10.0.0.1")), b"a")

    def test_next_reading(self) -> None:
        """SV-4: while a big new file is read the old content answers; one that comes meanwhile is read then."""
        self.write("/x/ a", self.filler)
        table = self.tables.open(f"regexp:{self.path}")
        self.threads.go()
        for value in "bc":
            self.later(f"/x/ {value}", self.filler + value)
            self.assertEqual(self.successResultOf(table.lookup(b"x")), b"a")
        self.assertEqual(len(self.threads.held), 1)
        self.threads.go()
        self.assertEqual(self.successResultOf(table.lookup(b"x")), b"c")

    def test_missing(self) -> None:
        """LK-13: a big file that cannot be read after all: the question fails, the next version is read."""
        self.write("x a", self.filler)
        table = self.tables.open(f"texthash:{self.path}")
        answer = table.lookup(b"x")
        os.unlink(self.path)
        self.threads.go()
        self.failureResultOf(answer, TableUnavailable)
        self.later("x b")
        self.assertEqual(self.successResultOf(table.lookup(b"x")), b"b")

    def test_for_commands(self) -> None:
        """PM-1: without threads it is read at once."""
        self.write("x a", self.filler)
        self.tables.context._run = None
        self.assertEqual(self.tables.driver(f"texthash:{self.path}").get(b"x"), b"a")
