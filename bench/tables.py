"""Lookup tables beside Debian's postmap, in one run: `make bench-tables`.

    python bench/tables.py [--sizes 1000,10000,100000,1000000] [--types lmdb,hash,cdb,cidr,regexp,pcre] [--keys 20000]

For each type and size: seconds to make the table ready (postmap's own build for indexed types, else reading it, with
the index), and microseconds a lookup of keys that were never asked before, half of them in the table. Postmap answers
the same keys by `-q -`, less the time of a run with one key; its answers are compared with ours. Rules are limited to
100,000 lines for regexp and pcre, and postmap is asked fewer keys where it would take minutes. All is CPU time, so that
what else the machine does counts little.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import NamedTuple

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from pytwfix.tables.regexrules import RegexTable
from pytwfix.tables.registry import Tables
from pytwfix.tables.standalone import command_tables

INDEXED = ("lmdb", "hash", "cdb")
RULES = ("regexp", "pcre")
MOST_RULES = 100_000
PATIENCE = 20.0  # seconds that postmap may take for its keys, roughly
_FORMS = (
    r"/^user{0}@example\.com$/", r"/^(.*)@spam{0}\.example$/", "/^Subject:.*buy {0} now/",
    r"/(foo|bar){0}[0-9]+\.dyn\.(net|org)$/", r"/\.host-{0}\./",
)  # fmt: skip
_KEYS = (
    "user{0}@example.com", "joe.{1}@spam{0}.example", "Subject: please buy {0} now", "foo{0}7.dyn.org", "a.host-{0}.b",
)  # fmt: skip


class Figures(NamedTuple):
    """Seconds to make, microseconds a lookup; 0.0: not measured."""

    build: float
    lookup: float
    answers: list[str | None]


def addresses(dice: random.Random, size: int) -> tuple[list[str], Callable[[], str]]:
    """Networks of both kinds, with some negated lines and `if` blocks among them."""
    lines: list[str] = []
    for number in range(size):
        if number % 1000 == 500:
            lines.append(f"if {dice.randrange(1, 224)}.0.0.0/8")
        elif number % 1000 == 600:
            lines.append("endif")
        elif number % 1000 == 550:
            lines.append(f"!{dice.randrange(1, 224)}.{dice.randrange(256)}.0.0/16 v{number}")
        elif dice.random() < 0.7:
            prefix = dice.choice((16, 20, 22, 24, 24, 28, 32))
            address = dice.getrandbits(32) >> (32 - prefix) << (32 - prefix)
            lines.append(f"{socket.inet_ntoa(address.to_bytes(4))}/{prefix} v{number % 100}")
        else:
            prefix = dice.choice((32, 40, 48, 56, 64, 128))
            wide = (0x2001 << 112 | dice.getrandbits(112)) >> (128 - prefix) << (128 - prefix)
            lines.append(f"{socket.inet_ntop(socket.AF_INET6, wide.to_bytes(16))}/{prefix} w{number % 100}")

    def key() -> str:
        if dice.random() < 0.6:
            return socket.inet_ntoa(dice.randbytes(4))
        return socket.inet_ntop(socket.AF_INET6, b"\x20\x01" + dice.randbytes(14))

    return lines, key


def rules(dice: random.Random, size: int) -> tuple[list[str], Callable[[], str]]:
    names = [f"{dice.choice('abcdefgh')}{dice.randrange(10**7)}" for _ in range(size)]
    lines = [f"{_FORMS[number % 5].format(name)} v{number}" for number, name in enumerate(names)]

    def key() -> str:
        place = dice.randrange(size)
        name = names[place] if dice.random() < 0.5 else str(dice.randrange(10**9))
        return _KEYS[place % 5].format(name, dice.randrange(10**9))

    return lines, key


def entries(dice: random.Random, size: int) -> tuple[list[str], Callable[[], str]]:
    lines = [f"user{number}@example{number % 1000}.com v{number}" for number in range(size)]

    def key() -> str:
        number = dice.randrange(2 * size)
        return f"user{number}@example{number % 1000}.com"

    return lines, key


def spent() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    of = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in of)


def children() -> float:
    one = resource.getrusage(resource.RUSAGE_CHILDREN)
    return one.ru_utime + one.ru_stime


class Bench:
    def __init__(self, keys: int) -> None:
        self.directory = tempfile.mkdtemp(prefix="pytwfix-bench-tables-")
        self._keys = keys
        self._postmap = shutil.which("postmap", path="/usr/sbin:/usr/bin")
        with open(f"{self.directory}/main.cf", "w", encoding="ascii") as file:
            file.write("compatibility_level = 3.6\nlmdb_map_size = 1073741824\n")

    def _tables(self) -> Tables:
        values = {"lmdb_map_size": "1073741824", "data_directory": self.directory}
        return command_tables("bench", values.get, str, True)

    def compare(self, kind: str, size: int) -> str:
        """One line of the result."""
        dice = random.Random(size)
        make = addresses if kind == "cidr" else rules if kind in RULES else entries
        lines, key = make(dice, size)
        path = f"{self.directory}/{kind}{size}"
        with open(path, "w", encoding="ascii") as file:
            file.write("".join(f"{line}\n" for line in lines))
        keys = list(dict.fromkeys(key() for _ in range(self._keys)))
        ours = self._ours(kind, path, keys)
        real = self._real(kind, path, keys)
        return self._line(kind, size, ours, real)

    def _line(self, kind: str, size: int, ours: Figures, real: Figures | None) -> str:
        head = f"{kind:7} {size:8}  {ours.build:8.2f} s {ours.lookup:9.2f} us"
        if real is None:
            return head
        same = "" if real.answers == ours.answers[: len(real.answers)] else "  ANSWERS DIFFER"
        return f"{head}  {real.build:8.2f} s {real.lookup:9.2f} us  {real.lookup / ours.lookup:8.1f} times{same}"

    def _ours(self, kind: str, path: str, keys: list[str]) -> Figures:
        start = spent()
        if kind in INDEXED:
            command = [os.path.join(os.path.dirname(sys.executable), "postmap"), "-c", self.directory, f"{kind}:{path}"]
            subprocess.run(command, check=True)
        table = self._tables().driver(f"{kind}:{path}")
        if isinstance(table, RegexTable):
            table.content().make_index()
        built = spent() - start
        asked = [key.encode() for key in keys]
        get = table.get
        start = spent()
        found = [get(key) for key in asked]
        lookup = (spent() - start) / len(keys) * 1e6
        table.close()
        return Figures(built, lookup, [None if value is None else value.decode() for value in found])

    def _real(self, kind: str, path: str, keys: list[str]) -> Figures | None:
        if self._postmap is None:
            return None
        name = f"{kind}:{path}"
        built = 0.0
        if kind in INDEXED:
            for suffix in (".lmdb", ".db", ".cdb"):
                if os.path.exists(path + suffix):
                    os.unlink(path + suffix)
            start = children()
            if subprocess.run([self._postmap, "-c", self.directory, name], check=False).returncode:
                return None
            built = children() - start
        once, _ = self._ask(name, keys[:1])
        few, _ = self._ask(name, keys[:20])
        each = max((few - once) / 19, 1e-7)
        asked = keys[: max(20, min(len(keys), int(PATIENCE / each)))]
        cost, said = self._ask(name, asked)
        answers = dict(line.split("\t", 1) for line in said.splitlines())
        lookup = max(cost - once, 1e-9) / len(asked) * 1e6
        return Figures(built or once, lookup, [answers.get(key) for key in asked])

    def _ask(self, name: str, keys: list[str]) -> tuple[float, str]:
        assert self._postmap is not None
        start = children()
        done = subprocess.run(
            [self._postmap, "-c", self.directory, "-q", "-", name],
            input="".join(f"{key}\n" for key in keys).encode(), capture_output=True, check=False,
        )  # fmt: skip
        return children() - start, done.stdout.decode()


def main() -> None:
    parser = argparse.ArgumentParser(description="Lookup tables beside a real postmap.")
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--types", default="lmdb,hash,cdb,cidr,regexp,pcre")
    parser.add_argument("--keys", type=int, default=20000)
    options = parser.parse_args()
    bench = Bench(options.keys)
    try:
        print(f"{'':17} {'ours: ready':>10} {'a lookup':>12} {'postmap: ready':>14} {'a lookup':>9}")
        for kind in options.types.split(","):
            for size in map(int, options.sizes.split(",")):
                if kind not in RULES or size <= MOST_RULES:
                    print(bench.compare(kind, size), flush=True)
    finally:
        shutil.rmtree(bench.directory)


if __name__ == "__main__":
    main()
