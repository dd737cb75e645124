"""Two mail systems with the same random services, and sessions played against both."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

from tests.conformance.differential_smtpd import worlds
from tests.conformance.differential_smtpd.clients import play
from tests.conformance.differential_smtpd.known import known
from tests.conformance.differential_smtpd.words import session
from tests.kit.mailsystem import INLINE, POSTFIX, MailSystem, make
from tests.kit.waiting import free_port


class Outcome:
    """What came of it: `differences` are texts, `expected` counts the known ones by name."""

    def __init__(self) -> None:
        self.sessions = self.replies = 0
        self.differences: list[str] = []
        self.expected: Counter[str] = Counter()
        self.trouble: list[str] = []  # log lines of services that died

    def add(self, other: Outcome) -> None:
        self.sessions += other.sessions
        self.replies += other.replies
        self.differences += other.differences
        self.expected += other.expected
        self.trouble += other.trouble


def round_of(seed: int, sessions: int, services: int = 10) -> Outcome:
    """New services from a seed, and so many sessions."""
    random = Random(seed)
    files = worlds.tables(random)
    free = _ports(2 * services)
    ports = {POSTFIX: free[:services], INLINE: free[services:]}
    state = random.getstate()
    systems: dict[str, MailSystem] = {}
    lines: list[str] = []
    try:
        for kind, chosen in ports.items():
            random.setstate(state)
            lines = worlds.services(random, services, chosen)
            systems[kind] = make(kind, worlds.MAIN, lines, files)
            systems[kind].write_master("".join(systems[kind].filled(line) + "\n" for line in lines))
            systems[kind].write_main(**{name: systems[kind].filled(text) for name, text in worlds.MAIN.items()})
            systems[kind].start(*chosen)
        outcome = _played(random, sessions, ports, lines, seed)
        for kind, system in systems.items():
            outcome.trouble += [f"{kind}: {line}" for line in system.log().splitlines() if " fatal: " in line]
        return outcome
    finally:
        for system in systems.values():
            system.remove()


def _ports(count: int) -> list[int]:
    """All different."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return sorted(found)


def _played(random: Random, sessions: int, ports: dict[str, list[int]], lines: list[str], seed: int) -> Outcome:
    outcome = Outcome()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(sessions):
            at, told = random.randrange(len(ports[POSTFIX])), session(random)
            theirs, ours = (pool.submit(play, ports[kind][at], told) for kind in (POSTFIX, INLINE))
            judge(outcome, theirs.result(), ours.result(), f"seed {seed}\n{lines[at]}")
    return outcome


def judge(outcome: Outcome, theirs: list[tuple[str, str]], ours: list[tuple[str, str]], where: str) -> None:
    outcome.sessions += 1
    for number, (their, our) in enumerate(zip(theirs, ours, strict=False)):
        outcome.replies += 1
        if their[1] == our[1]:
            continue
        name = known(theirs[:number], their[0], their[1], our[1])
        if name:
            outcome.expected[name] += 1
            return
        before = "\n".join(f"  {line}\n      {reply}" for line, reply in theirs[:number])
        outcome.differences.append(f"{where}\n{before}\n  {their[0]}\n    - {their[1]!r}\n    + {our[1]!r}")
        return
    if len(theirs) != len(ours):
        outcome.differences.append(f"{where}\n{len(theirs)} replies, not {len(ours)}: {theirs[-1]} {ours[-1]}")
