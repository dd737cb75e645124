"""Counts of a time that is over become reports, one for each domain. Blocks; raises OSError.

It runs in a thread, where nothing is logged: `notes` has the lines, in order.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytwfix.mail.tlsrpt import MOST_PLACES, Tally, file_name, report
from pytwfix.tlsrpt import log
from pytwfix.tlsrpt.shelf import Period, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.contracts.host import ILog
    from pytwfix.mail.tlsrpt import Sender
    from pytwfix.tlsrpt.shelf import Shelf

MOST = 20000  # reports of one day
TRIED = 86400.0  # seconds for which a report is tried to be sent (RFC 8460 section 5.6)


class Maker:
    """`due` gives the time at which a report is to be sent; None where none is."""

    def __init__(self, shelf: Shelf, sender: Sender, due: Callable[[], float] | None) -> None:
        self.notes: list[Callable[[ILog], None]] = []
        self._shelf = shelf
        self._sender = sender
        self._due = due

    def make(self, until: float) -> None:
        """The reports of every time that ended before `until`."""
        for period, names in self._shelf.periods(until).items():
            if self._shelf.is_done(period):
                for name in names:
                    self.notes.append(partial(log.late, name=name))
                self._shelf.drop(names)
                continue
            tallies = self._tallies(names)
            for domain in sorted(tallies):
                self._report(period, domain, *tallies[domain])
            self._shelf.finish(period, names)

    def _tallies(self, names: list[str]) -> dict[str, tuple[tuple[str, ...], Tally]]:
        """What all processes have counted: where reports go, as the last one knew it, and how often."""
        found: dict[str, tuple[tuple[str, ...], Tally]] = {}
        full = False
        for name in names:
            try:
                for domain, places, tally in self._shelf.read(name):
                    old = found.get(domain)
                    if old is None and len(found) >= MOST:
                        full = True
                        continue
                    whole = old[1] if old is not None else Tally()
                    whole.add(tally)
                    found[domain] = places[:MOST_PLACES], whole
            except OSError as error:
                self.notes.append(partial(log.not_read, name=name, reason=str(error)))
        if full:
            self.notes.append(partial(log.too_many, number=MOST))
        return found

    def _report(self, period: Period, domain: str, places: tuple[str, ...], tally: Tally) -> None:
        begin, end = period.begin, period.end - 1
        name = file_name(domain, begin, end, self._sender)
        waiting = None
        if self._due is not None and places:
            due = self._due()
            waiting = Waiting(name, domain, begin, places, due, due + TRIED)
        self._shelf.keep(name, report(domain, tally, begin, end, self._sender), waiting)
        counts = tally.counts.values()
        good, bad = sum(one.successes for one in counts), sum(one.failed for one in counts)
        self.notes.append(partial(log.made, domain=domain, successes=good, failures=bad))
