"""Makes cases, has both programs answer them, and keeps those whose answers differ."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.conformance.differential.known import Known
from tests.conformance.differential.programs import Answer, Case, Place, Question

BATCH = 200
AT_ONCE = 64  # a Postfix command that fails sleeps for a second: many at once

Compared = tuple[object, ...]


class Difference:
    """A question and two answers."""

    def __init__(self, case: Case, question: Question, real: Compared, ours: Compared) -> None:
        self.case = case
        self.question = question
        self.real = real
        self.ours = ours

    def __repr__(self) -> str:
        return f"{self.case}\nasked: {self.question}\nreal:  {self.real!r}\nours:  {self.ours!r}\n"


class Judge:
    """Counts what was asked, and collects differences."""

    def __init__(self, as_command: int = 0) -> None:
        """:param as_command: of so many cases one is asked of our real command; 0 for none."""
        self._known = Known()
        self._as_command = as_command
        self.cases = 0
        self.commands = 0
        self.keys = 0
        self.differences: list[Difference] = []

    def run(self, strategy: SearchStrategy[Case], count: int, start: int = 0) -> None:
        """Ask about `count` cases that hypothesis makes of `strategy`."""
        made = iter(cases(strategy, count, start))
        with tempfile.TemporaryDirectory(prefix="pytwfix-differential-") as folder:
            os.chmod(folder, 0o755)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                while batch := list(islice(made, BATCH)):
                    self._batch(folder, batch, pool)

    def _batch(self, folder: str, batch: Sequence[Case], pool: ThreadPoolExecutor) -> None:
        places = [Place(f"{folder}/r{number}", case.files) for number, case in enumerate(batch)]
        waiting = [pool.submit(_all_real, place, case) for place, case in zip(places, batch, strict=True)]
        for number, (case, real) in enumerate(zip(batch, waiting, strict=True)):
            place = Place(f"{folder}/o{number}", case.files)
            self._case(case, place, real.result())
            place.remove()
            places[number].remove()

    def _case(self, case: Case, place: Place, answers: Sequence[Answer]) -> None:
        self.cases += 1
        ask = place.here
        if self._as_command and self.cases % self._as_command == 0:
            ask = place.as_command
        for question, answer in zip(case.questions, answers, strict=True):
            self.commands += 1
            self.keys += question.keys
            if answer.status < 0:
                break  # it crashed, or never ends
            real = self._known.compared(question, answer)
            try:
                ours = self._known.compared(question, ask(question))
            except Exception as error:  # whatever it is, it is a difference
                ours = ("raised", repr(error), "", {})
            if "bad domain argument" in str(ours[2]):
                continue  # defaults of 3.11 make domains ASCII, and this mydomain is none
            if real != ours:
                self.differences.append(Difference(case, question, real, ours))


def _all_real(place: Place, case: Case) -> list[Answer]:
    return [place.real(question) for question in case.questions]


def cases(strategy: SearchStrategy[Case], count: int, start: int) -> Iterator[Case]:
    """`count` cases; `start` chooses which."""
    turn = 0
    while count > 0:
        found: list[Case] = []
        _collect(strategy, min(count, BATCH), start * 100_003 + turn, found)
        yield from found
        count -= len(found)
        turn += 1


def _collect(strategy: SearchStrategy[Case], count: int, start: int, found: list[Case]) -> None:
    @seed(start)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def take(case: Any) -> None:
        found.append(case)

    take()
