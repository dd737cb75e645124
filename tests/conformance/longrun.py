"""The long run of a comparison of mails: rounds of new settings until there were enough."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from tests.conformance.differential_mail.compare import Outcome


def long_run(round_of: Callable[[int, int], Outcome], a_round: int) -> int:
    """Exit status: 1 when anything differed. `round_of` gets a seed and how many mails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    total, seed = Outcome(), given.seed
    while total.mails < given.mails:
        found = round_of(seed, min(a_round, given.mails - total.mails))
        total.add(found)
        seed += 1
        for text in found.differences:
            print(f"\n{text}")
        counts = f"{total.mails} mails, {total.deliveries} deliveries, {total.lines} log lines"
        print(f"{counts}, {len(total.differences)} differences", flush=True)
    for name, count in total.expected.items():
        print(f"{name}: {count}")
    return int(bool(total.differences))
