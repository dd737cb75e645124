"""tlsrpt/making.py and shelf.py: from counts to reports on disk (TL-10; RFC 8460 sections 4.1, 4.4, 5.1)."""

from __future__ import annotations

import gzip
import json
import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.disk import Disk
from pytwfix.mail.tlsrpt import Applied, Detail, Sender, Tally, line
from pytwfix.tlsrpt import making
from pytwfix.tlsrpt.making import Maker
from pytwfix.tlsrpt.shelf import Period, Shelf, Waiting
from tests.kit.host import MemoryLog

DAY = 86400
BEGIN = 1_699_920_000
SENDER = Sender("Example", "tls@mx.example", "mx.example")
TO = ("mailto:tls@a.example",)
LATE = Detail("certificate-expired", "", "192.0.2.1", "mx.a.example", "192.0.2.2")


def tally(successes: int = 0, failures: int = 0) -> Tally:
    made = Tally()
    count = made.count(Applied())
    count.successes = successes
    if failures:
        count.fail(LATE, failures)
    return made


class BrokenDisk(Disk):
    """Fails at the call that it is told."""

    def __init__(self) -> None:
        self.failing = ""

    def rename(self, source: str, target: str) -> None:  # type: ignore[override]
        if self.failing and self.failing in target:
            raise OSError(28, "No space left on device")
        os.rename(source, target)

    def unlink(self, path: str) -> None:  # type: ignore[override]
        if self.failing and self.failing in path:
            raise OSError(5, "Input/output error")
        os.unlink(path)


class MakingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = self.mktemp()
        os.makedirs(f"{self.directory}/counts")
        self.disk = BrokenDisk()
        self.shelf = Shelf(self.disk, self.directory)
        self.log = MemoryLog()

    def counted(self, name: str, *lines: str) -> None:
        with open(f"{self.directory}/counts/{name}", "a", encoding="utf-8") as file:
            file.write("\n" + "\n".join(lines) + "\n")

    def make(self, until: float = BEGIN + DAY, send: bool = False) -> None:
        maker = Maker(self.shelf, SENDER, (lambda: 5.0) if send else None)
        try:
            maker.make(until)
        finally:
            for note in maker.notes:
                note(self.log)

    def reports(self) -> dict[str, Any]:
        """By domain: (successes, failures)."""
        found = {}
        for name in os.listdir(self.directory):
            if name.endswith(".json"):
                with open(f"{self.directory}/{name}", encoding="utf-8") as file:
                    summary = json.load(file)["policies"][0]["summary"]
                found[name.split("!")[1]] = tuple(summary.values())
        return found

    def counts(self) -> list[str]:
        return sorted(os.listdir(f"{self.directory}/counts"))


class Making(MakingCase):
    def test_sum(self) -> None:
        """Several processes, services and batches make one report a domain."""
        self.counted(f"{BEGIN}.{DAY}.10.0", line("a.example", TO, tally(2, 1)), line("b.example", TO, tally(1)))
        self.counted(f"{BEGIN}.{DAY}.10.0", line("a.example", TO, tally(3)))
        self.counted(f"{BEGIN}.{DAY}.11.7", line("a.example", TO, tally(0, 4)))
        self.make()
        self.assertEqual({"a.example": (5, 5), "b.example": (1, 0)}, self.reports())
        self.assertEqual([f"{BEGIN}.{DAY}.done"], self.counts())
        told = ["TLS report for a.example: sessions=10, failed=5", "TLS report for b.example: sessions=1, failed=0"]
        self.assertEqual(told, self.log.lines)
        name = f"mx.example!a.example!{BEGIN}!{BEGIN + DAY - 1}.json"
        self.assertEqual(0o600, os.stat(f"{self.directory}/{name}").st_mode & 0o777)
        self.assertEqual(name, json_name(self.shelf.packed(name)))
        self.assertEqual([], self.shelf.all_waiting())

    def test_not_over(self) -> None:
        """Each day for itself, and none before its time."""
        for day in range(3):
            self.counted(f"{BEGIN + day * DAY}.{DAY}.10.0", line("a.example", TO, tally(1)))
        self.make(BEGIN + DAY - 1)
        self.assertEqual({}, self.reports())
        self.make(BEGIN + 2 * DAY)
        self.assertEqual(2, len([one for one in os.listdir(self.directory) if one.endswith(".json")]))
        self.assertIn(f"{BEGIN + 2 * DAY}.{DAY}.10.0", self.counts())

    def test_crash_between(self) -> None:
        """Reports that are half made are made again, with all counts; nothing was sent of them."""
        self.counted(f"{BEGIN}.{DAY}.10.0", line("a.example", TO, tally(2)), line("b.example", TO, tally(1)))
        for failing in ("!b.example!", ".done"):
            self.disk.failing = failing
            self.assertRaises(OSError, self.make, send=True)
            self.assertIn(f"{BEGIN}.{DAY}.10.0", self.counts())
        self.disk.failing = ""
        self.make(send=True)
        self.assertEqual({"a.example": (2, 0), "b.example": (1, 0)}, self.reports())
        self.assertEqual([f"{BEGIN}.{DAY}.done"], self.counts())

    def test_crash_after(self) -> None:
        """Counts that stayed behind are not reported a second time, nor do they change what was said."""
        self.counted(f"{BEGIN}.{DAY}.10.0", line("a.example", TO, tally(2)))
        self.disk.failing = f"{BEGIN}.{DAY}.10.0"
        self.assertRaises(OSError, self.make)
        self.disk.failing = ""
        self.make()
        self.assertEqual({"a.example": (2, 0)}, self.reports())
        self.assertEqual([f"{BEGIN}.{DAY}.done"], self.counts())

    def test_late(self) -> None:
        self.counted(f"{BEGIN}.{DAY}.10.0", line("a.example", TO, tally(2)))
        self.make()
        self.counted(f"{BEGIN}.{DAY}.12.0", line("a.example", TO, tally(2)))
        self.make()
        self.assertEqual({"a.example": (2, 0)}, self.reports())
        self.assertEqual(f"warning: TLS reports: counts in {BEGIN}.{DAY}.12.0 came too late", self.log.lines[-1])

    def test_nonsense(self) -> None:
        """Lines that are none, and domains that are no names, are passed over; others' files are left alone."""
        good = line("a.example", TO, tally(1))
        bad = (good[:-5], "[]", line("../../etc/x", TO, tally(1)), line("a b", TO, tally(1)), "\udcff")
        with open(f"{self.directory}/counts/{BEGIN}.{DAY}.10.0", "wb") as file:
            file.write("\n".join((*bad, good)).encode("utf-8", "surrogateescape"))
        self.counted("README", "hello")
        self.make()
        self.assertEqual({"a.example": (1, 0)}, self.reports())
        self.assertEqual([f"{BEGIN}.{DAY}.done", "README"], self.counts())

    def test_links(self) -> None:
        """What somebody's link leads to is not read."""
        self.counted("elsewhere", line("b.example", TO, tally(1)))
        os.symlink(os.path.abspath(f"{self.directory}/counts/elsewhere"), f"{self.directory}/counts/{BEGIN}.{DAY}.1.1")
        self.counted(f"{BEGIN}.{DAY}.10.0", line("a.example", TO, tally(1)))
        self.make()
        self.assertEqual({"a.example": (1, 0)}, self.reports())
        self.assertIn("are lost: ", self.log.lines[0])

    def test_most(self) -> None:
        self.patch(making, "MOST", 3)
        self.counted(f"{BEGIN}.{DAY}.10.0", *(line(f"{number}.example", TO, tally(1)) for number in range(9)))
        self.make()
        self.assertEqual(3, len(self.reports()))
        self.assertIn("warning: TLS reports: more than 3 domains, not all get one", self.log.lines)


class WaitingReports(MakingCase):
    def test_where(self) -> None:
        """A report that is to be sent says where, as the domain said last."""
        self.counted(f"{BEGIN}.{DAY}.10.0", line("a.example", ["mailto:old@a.example"], tally(1)))
        self.counted(f"{BEGIN}.{DAY}.10.0", line("a.example", TO, tally(1)))
        self.make(send=True)
        name = f"mx.example!a.example!{BEGIN}!{BEGIN + DAY - 1}.json"
        expected = Waiting(name, "a.example", BEGIN, TO, 5.0, 5.0 + DAY)
        self.assertEqual([expected], self.shelf.all_waiting())
        later = expected._replace(places=("https://a.example/",), due=2.0)
        self.shelf.wait(later)
        self.assertEqual([later], self.shelf.all_waiting())
        self.shelf.sent(name)
        self.shelf.sent(name)
        self.assertEqual([], self.shelf.all_waiting())

    def test_order_and_nonsense(self) -> None:
        for number, due in enumerate((3.0, 1.0, 2.0)):
            self.shelf.wait(Waiting(f"{number}.json", "a.example", BEGIN, TO, due, 9.0))
        for name, text in (("x.json", "{}"), ("y.json", "["), ("z.json", '["z.json","d","b",[],1,2]')):
            with open(f"{self.directory}/waiting/{name}", "w", encoding="ascii") as file:
                file.write(text)
        self.assertEqual(["1.json", "2.json", "0.json"], [one.name for one in self.shelf.all_waiting()])
        self.assertEqual(["0.json", "1.json", "2.json"], sorted(os.listdir(f"{self.directory}/waiting")))

    def test_clean(self) -> None:
        """After their time reports go, and what was left beside them; counts stay."""
        self.counted(f"{BEGIN}.{DAY}.10.0", line("a.example", TO, tally(1)))
        self.make(send=True)
        self.counted(f"{BEGIN + DAY}.{DAY}.10.0", line("a.example", TO, tally(1)))
        self.counted("x.new", "")
        everything = [f"{where}/{name}" for where, _, names in os.walk(self.directory) for name in names]
        self.assertEqual(5, len(everything))
        self.shelf.clean(os.stat(everything[0]).st_mtime - 1000)
        self.assertEqual(1, len(self.reports()))
        for path in everything:
            os.utime(path, (BEGIN, BEGIN))
        self.shelf.clean(BEGIN + 1)
        self.assertEqual(({}, []), (self.reports(), self.shelf.all_waiting()))
        self.assertEqual([f"{BEGIN + DAY}.{DAY}.10.0"], self.counts())

    def test_no_directory(self) -> None:
        """Nothing was ever counted."""
        shelf = Shelf(self.disk, f"{self.directory}/none")
        self.assertEqual(({}, []), (shelf.periods(BEGIN), shelf.all_waiting()))
        shelf.clean(BEGIN)
        self.assertFalse(shelf.is_done(Period(BEGIN, BEGIN + DAY)))
        self.assertFalse(os.path.exists(f"{self.directory}/none"))


def json_name(packed: bytes) -> str:
    """The name that a report's file has by what is in it."""
    report = json.loads(gzip.decompress(packed))
    domain = report["policies"][0]["policy"]["policy-domain"]
    return f"mx.example!{domain}!{BEGIN}!{BEGIN + DAY - 1}.json"
