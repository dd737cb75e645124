"""deliver/smtp/tlscounts.py: counts in memory and on disk (TL-10; RFC 8460)."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.disk import Disk
from pytwfix.contracts.dns import Answer
from pytwfix.deliver.smtp import tlscounts
from pytwfix.deliver.smtp.tlscounts import WAIT, TlsCounts
from pytwfix.mail.tlsrpt import Applied, Detail, Tally, parse_line
from tests.kit.accepting import ZoneResolver
from tests.kit.host import MemoryHost

DAY = 86400
BEGIN = 1_700_000_000 // DAY * DAY
LATE = Detail("certificate-expired")


class Waiting:
    """A resolver that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[Deferred[Answer]] = []

    def txt(self, name: str) -> Deferred[Answer]:
        self.asked.append(Deferred())
        return self.asked[-1]


class ShortDisk(Disk):
    """Takes no more than a few bytes at once."""

    @staticmethod
    def write(fd: int, data: bytes) -> int:  # type: ignore[override]
        return os.write(fd, data[:7])


class Counts(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = f"{self.mktemp()}/tlsrpt"
        os.makedirs(os.path.dirname(self.directory))
        self.host = MemoryHost(start=BEGIN + 100)
        self.host.resolver = ZoneResolver(
            {
                (f"_smtp._tls.{name}.example", "TXT"): [f"v=TLSRPTv1; rua=mailto:tls@{name}.example".encode()]
                for name in ("a", "b")
            }
        )
        self.counts = TlsCounts(self.host, self.directory, DAY)

    def files(self) -> list[str]:
        folder = f"{self.directory}/counts"
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def written(self, *names: str) -> dict[str, tuple[int, int]]:
        """(successes, failures) by domain."""
        found: dict[str, Tally] = {}
        for name in names or self.files():
            with open(f"{self.directory}/counts/{name}", encoding="ascii") as file:
                for text in filter(None, file.read().split("\n")):
                    domain, _places, tally = parse_line(text)
                    found.setdefault(domain, Tally()).add(tally)
        sums = {domain: tally.counts[Applied()] for domain, tally in found.items()}
        return {domain: (count.successes, count.failed) for domain, count in sums.items()}

    def warnings(self) -> list[str]:
        return [one for one in self.host.log.lines if one.startswith("warning")]

    def test_batches(self) -> None:
        """Sessions of some seconds are one line a domain; nothing is written before, and nothing after."""
        for failure in (None, None, LATE):
            self.counts.count("a.example", Applied(), failure)
        self.counts.count("b.example", Applied(), None)
        self.assertEqual([], self.files())
        self.host.clock.advance(WAIT)
        (name,) = self.files()
        self.assertTrue(name.startswith(f"{BEGIN}.{DAY}.{os.getpid()}."), name)
        self.assertEqual({"a.example": (2, 1), "b.example": (1, 0)}, self.written())
        self.assertEqual([], self.host.clock.getDelayedCalls())
        self.counts.count("a.example", Applied(), None)
        self.host.clock.advance(WAIT)
        self.assertEqual({"a.example": (3, 1), "b.example": (1, 0)}, self.written())
        with open(f"{self.directory}/counts/{name}", encoding="ascii") as file:
            self.assertEqual(3, len(file.read().split()))
        self.assertEqual(0o600, os.stat(f"{self.directory}/counts/{name}").st_mode & 0o777)

    def test_midnight(self) -> None:
        """In UTC, and by the time of the session, not of the writing."""
        self.host.clock.advance(DAY - 101)
        self.counts.count("a.example", Applied(), None)
        self.host.clock.advance(2)
        self.counts.count("a.example", Applied(), None)
        self.counts.count("a.example", Applied(), None)
        self.host.clock.advance(WAIT)
        first, second = self.files()
        self.assertEqual([str(BEGIN), str(BEGIN + DAY)], [one.partition(".")[0] for one in (first, second)])
        self.assertEqual([{"a.example": (1, 0)}, {"a.example": (2, 0)}], [self.written(first), self.written(second)])

    def test_asked_once_a_day(self) -> None:
        for _ in range(3):
            self.counts.count("a.example", Applied(), None)
            self.counts.count("c.example", Applied(), None)
            self.host.clock.advance(WAIT)
        self.assertEqual(2, len(self.host.resolver.asked))
        self.assertEqual({"a.example": (3, 0)}, self.written())
        self.host.clock.advance(DAY)
        self.counts.count("a.example", Applied(), None)
        self.assertEqual(3, len(self.host.resolver.asked))

    def test_slow_dns(self) -> None:
        """Sessions wait for the answer, and several do not ask twice."""
        self.host.resolver = slow = Waiting()
        for _ in range(2):
            self.counts.count("a.example", Applied(), None)
            self.host.clock.advance(WAIT)
        self.assertEqual((1, []), (len(slow.asked), self.files()))
        record: tuple[Any, ...] = (b"v=TLSRPTv1; rua=mailto:tls@a.example",)
        slow.asked[0].callback(Answer(record, False, 60, ""))
        self.host.clock.advance(WAIT)
        self.assertEqual({"a.example": (2, 0)}, self.written())

    def test_stop(self) -> None:
        """What is in memory is written at once; no timer is left."""
        self.counts.count("a.example", Applied(), None)
        self.counts.close()
        self.assertEqual({"a.example": (1, 0)}, self.written())
        self.assertEqual([], self.host.clock.getDelayedCalls())

    def test_after_the_end(self) -> None:
        """Mail that is under way when settings change counts by the old ones, DNS or no DNS."""
        self.counts.close()
        self.counts.count("a.example", Applied(), None)
        self.counts.count("a.example", Applied(), None)
        self.assertEqual({"a.example": (2, 0)}, self.written())
        self.host.resolver = slow = Waiting()
        self.counts.count("b.example", Applied(), None)
        record: tuple[Any, ...] = (b"v=TLSRPTv1; rua=mailto:tls@b.example",)
        slow.asked[0].callback(Answer(record, False, 60, ""))
        self.assertEqual({"a.example": (2, 0), "b.example": (1, 0)}, self.written())
        self.assertEqual([], self.host.clock.getDelayedCalls())

    def test_torn(self) -> None:
        """What a crash cut off does not spoil what comes after."""
        self.counts.count("a.example", Applied(), None)
        self.host.clock.advance(WAIT)
        (name,) = self.files()
        with open(f"{self.directory}/counts/{name}", "a", encoding="ascii") as file:
            file.write('["a.example",["mailto:tls@')
        self.counts.count("b.example", Applied(), None)
        self.host.clock.advance(WAIT)
        with open(f"{self.directory}/counts/{name}", encoding="ascii") as file:
            lines = [one for one in file.read().split("\n") if one]
        self.assertEqual(3, len(lines))
        self.assertRaises(ValueError, parse_line, lines[1])
        self.assertEqual("b.example", parse_line(lines[2])[0])

    def test_full_disk(self) -> None:
        """One warning for all batches that do not go; when the disk is well again, counting goes on."""
        self.host.disk = ShortDisk()
        self.counts = TlsCounts(self.host, self.directory, DAY)
        for _ in range(3):
            self.counts.count("a.example", Applied(), None)
            self.host.clock.advance(WAIT)
        self.assertEqual(1, len(self.warnings()), self.warnings())
        self.assertIn("No space left on device", self.warnings()[0])

    def test_no_directory(self) -> None:
        self.counts = TlsCounts(self.host, "/dev/null/tlsrpt", DAY)
        for _ in range(2):
            self.counts.count("a.example", Applied(), None)
            self.host.clock.advance(WAIT)
        self.assertEqual(1, len(self.warnings()), self.warnings())

    def test_links(self) -> None:
        """No file of somebody's is written to, and no pipe is waited for."""
        for make in (lambda path: os.symlink(f"{self.directory}/other", path), os.mkfifo):
            self.counts.count("a.example", Applied(), None)
            self.host.clock.advance(WAIT)
            (name,) = self.files()
            path = f"{self.directory}/counts/{name}"
            os.unlink(path)
            make(path)
            before = len(self.warnings())
            self.counts.count("a.example", Applied(), None)
            self.host.clock.advance(WAIT)
            self.assertEqual(before + 1, len(self.warnings()))
            self.assertFalse(os.path.exists(f"{self.directory}/other"))
            os.unlink(path)

    def test_largest(self) -> None:
        self.patch(tlscounts, "_LARGEST", 100)
        for _ in range(3):
            self.counts.count("a.example", Applied(), None)
            self.host.clock.advance(WAIT)
        self.assertEqual({"a.example": (1, 0)}, self.written())
        self.assertEqual(1, len(self.warnings()), self.warnings())

    def test_most(self) -> None:
        """Memory has a bound, also while DNS does not answer."""
        self.patch(tlscounts, "_MOST", 3)
        self.host.resolver = Waiting()
        for number in range(10):
            self.counts.count(f"{number}.example", Applied(), None)
        self.assertEqual(3, len(self.host.resolver.asked))
        self.assertEqual(1, len(self.warnings()), self.warnings())
