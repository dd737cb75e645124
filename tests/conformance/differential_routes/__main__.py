"""Run it: rounds of new settings until there were enough mails."""

from __future__ import annotations

import argparse

from tests.conformance.differential_mail.compare import Outcome
from tests.conformance.differential_routes.compare import round_of

_A_ROUND = 40


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    total, seed = Outcome(), given.seed
    while total.mails < given.mails:
        found = round_of(seed, min(_A_ROUND, given.mails - total.mails))
        total.add(found)
        seed += 1
        for text in found.differences:
            print(f"\n{text}")
        counts = f"{total.mails} mails, {total.deliveries} deliveries, {total.lines} log lines"
        print(f"{counts}, {len(total.differences)} differences", flush=True)
    for name, count in total.expected.items():
        print(f"{name}: {count}")
    return bool(total.differences)


raise SystemExit(main())
