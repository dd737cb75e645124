"""The long run: `python -m tests.conformance.differential --cases 20000`.

A case is a configuration or a table with what is asked about it; commands and keys are counted besides. Every
difference is printed; the exit status is 1 when there was one.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.conformance.differential.judge import Judge
from tests.conformance.differential.kinds import KINDS
from tests.conformance.differential.known import real_release


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.conformance.differential")
    options.add_argument("--cases", type=int, default=2000, help="how many cases of all kinds together")
    options.add_argument("--seed", type=int, default=1, help="which cases")
    options.add_argument("--only", choices=sorted(KINDS), help="one kind alone")
    options.add_argument(
        "--as-command", type=int, default=50, help="of so many cases one asks our command, not its main()"
    )
    given = options.parse_args()
    if not real_release():
        print("there is no real Postfix", file=sys.stderr)
        return 2
    judge = Judge(given.as_command)
    wanted = [given.only] if given.only else list(KINDS)
    weight = sum(KINDS[kind].weight for kind in wanted)
    for kind in wanted:
        _run(judge, kind, max(1, given.cases * KINDS[kind].weight // weight), given.seed)
    print(f"{judge.cases} cases, {judge.commands} commands, {judge.keys} keys, {len(judge.differences)} differences")
    return 1 if judge.differences else 0


def _run(judge: Judge, kind: str, count: int, seed: int) -> None:
    before = judge.cases, judge.commands, judge.keys, len(judge.differences)
    start = time.monotonic()
    judge.run(KINDS[kind].strategy, count, seed)
    after = judge.cases, judge.commands, judge.keys, len(judge.differences)
    for difference in judge.differences[before[3] :]:
        print(difference, flush=True)
    done = [new - old for new, old in zip(after, before, strict=True)]
    seconds = time.monotonic() - start
    text = "{}: {} cases, {} commands, {} keys, {} differ, {:.0f} s".format(kind, *done, seconds)
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
