"""commands/qshape.py and agetable.py. The tables are those that a real qshape prints."""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import qshape
from pytwfix.commands.agetable import Ages, AgeTable
from tests.kit.commands import CommandQueue, Output

_LONG = "verylong.subdomain.of.some.long.domain.example"


def table(*counts: tuple[str, int, float], parents: int = 0) -> AgeTable:
    """Domains, each with so many addresses, minutes old."""
    made = AgeTable(Ages(10, 5, False), parents)
    for domain, count, minutes in counts:
        for _ in range(count):
            made.add(domain, 60 * minutes)
    return made


class Tables(SynchronousTestCase):
    """QP-1."""

    def test_columns(self) -> None:
        """QP-1: the widest number makes a column; long names are cut in front."""
        lines = list(table(("two.example", 1234, 1), ("b.two.example", 123, 7), (_LONG, 3, 7)).lines(80))
        self.assertEqual(lines, [
            "                                      T    5  10 20 40 80 160 320 640 1280 1280+",
            "                             TOTAL 1360 1234 126  0  0  0   0   0   0    0     0",
            "                       two.example 1234 1234   0  0  0  0   0   0   0    0     0",
            "                     b.two.example  123    0 123  0  0  0   0   0   0    0     0",
            "+omain.of.some.long.domain.example    3    0   3  0  0  0   0   0   0    0     0",
        ])  # fmt: skip

    def test_parents(self) -> None:
        """QP-1: -p sums up what is below a domain, but for top level domains; -m is how many that must be."""
        counts = (("a.two.example", 1, 6), ("b.two.example", 1, 12), ("c.b.two.example", 2, 25), ("two.example", 1, 1))
        names = [line.split()[:2] for line in table(*counts, ("[127.0.0.1]", 1, 1), parents=2).lines(80)][2:]
        self.assertEqual(names[0], [".two.example", "4"])
        self.assertEqual([name for name, _ in names if name.startswith(".")], [".two.example"])
        names = [line.split()[:2] for line in table(*counts, parents=1).lines(80)]
        self.assertIn([".b.two.example", "2"], names)
        cut = list(table(("x." + _LONG, 1, 1), parents=1).lines(80))[-2]
        self.assertEqual(cut.split()[0], ".+subdomain.of.some.long.domain.example")

    def test_narrow(self) -> None:
        """QP-1: what does not fit is shown all the same."""
        made = AgeTable(Ages(20, 5, False))
        made.add(_LONG, 1)
        self.assertEqual(list(made.lines(80))[-1][:21], "+ng.domain.example  1")

    def test_buckets(self) -> None:
        """QP-1: -b, -t and -l."""
        self.assertEqual(Ages(4, 5, False).labels(), ["5", "10", "20", "20+"])
        self.assertEqual(Ages(4, 10, True).labels(), ["10", "20", "30", "30+"])
        self.assertEqual(Ages(1, 5, False).labels(), ["0+"])
        self.assertEqual([Ages(3, 5, False).bucket(age) for age in (-9, 299, 300, 600)], [0, 0, 1, 2])


class Command(SynchronousTestCase):
    def setUp(self) -> None:
        self.queue = CommandQueue(self.mktemp())
        spool = self.queue.spool
        spool.put(b"x\r\n", b"a@One.example", b"b@one.example", queue="deferred")
        spool.put(b"x\r\n", b"c@two.example", queue="incoming")
        self.patch(time, "time", lambda: spool.host.now() + 400)

    def shape(self, *words: str) -> list[list[str]]:
        code, out, said = self.queue.run(qshape.main, *words)
        self.assertEqual((code, said), (0, ""))
        return [line.split() for line in out.splitlines()[1:]]

    def test_queues(self) -> None:
        """QP-1: incoming and active, or those that are named, by recipients or by senders."""
        zeros = ["0"] * 8
        self.assertEqual(self.shape(), [["TOTAL", "1", "0", "1", *zeros], ["two.example", "1", "0", "1", *zeros]])
        self.assertEqual(self.shape("deferred")[1], ["one.example", "2", "0", "2", *zeros])
        path = f"{self.queue.spool.path}/incoming"
        self.assertEqual(self.shape("-s", "deferred", path)[1:], [["example.org", "2", "0", "2", *zeros]])

    def test_terminal(self) -> None:
        """QP-1: on a terminal the table grows: -N messages later again, its first -n lines."""
        self.patch(Output, "isatty", lambda self: True)
        code, out, _ = self.queue.run(qshape.main, "-N", "1", "-n", "1", "deferred", "incoming")
        shown = [part.split("\n")[1].split()[:2] for part in out.split("\033[H\033[2J\033[3J")[1:]]
        self.assertEqual((code, shown), (0, [["TOTAL", "2"], ["TOTAL", "3"], ["TOTAL", "3"]]))
        self.assertNotIn("one.example", out)

    def test_mistakes(self) -> None:
        """QP-1: a queue that is not there is no error; an option that is not, is."""
        code, out, said = self.queue.run(qshape.main, "nonesuch")
        self.assertEqual((code, out.split()[11:14]), (0, ["TOTAL", "0", "0"]))
        self.assertEqual(said, f"qshape: warning: {self.queue.spool.path}/nonesuch: No such file or directory\n")
        code, _, said = self.queue.run(qshape.main, "-z")
        self.assertEqual((code, said.splitlines()[0]), (1, "qshape: invalid option -- 'z'"))
        code, _, said = self.queue.run(qshape.main, "-b", "x")
        self.assertEqual((code, said), (1, "qshape: fatal: bad number for -b: x\n"))
