"""Run it: rounds of new services until there were enough sessions."""

from __future__ import annotations

import argparse

from tests.conformance.differential_smtpd.compare import Outcome, round_of

_A_ROUND = 250


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    total, seed = Outcome(), given.seed
    while total.sessions < given.sessions:
        total.add(round_of(seed, min(_A_ROUND, given.sessions - total.sessions)))
        seed += 1
        print(f"{total.sessions} sessions, {total.replies} replies, {len(total.differences)} differences", flush=True)
    for text in total.differences:
        print(f"\n{text}")
    print("\n".join(total.trouble))
    for name, count in total.expected.items():
        print(f"{name}: {count}")
    return bool(total.differences)


raise SystemExit(main())
