#!/usr/bin/env python3
"""What trial's output says: `--problems LOG` failures and what was skipped and why, `--total LOG...` one line.

The total's exit status is 1 when a test failed, or when a run came to no end.
"""

from __future__ import annotations

import re
import sys
from collections import Counter

RULE = "=" * 79
_COUNT = re.compile(r"(\w+)=(\d+)")
_END = re.compile(r"^(PASSED|FAILED)(?: \((.*)\))?$", re.MULTILINE)
_BAD = ("failures", "errors", "unexpectedSuccesses")


def counts(text: str) -> Counter[str] | None:
    """successes, failures, errors, skips; None: the run did not end."""
    end = _END.findall(text)
    if not end:
        return None
    return Counter({name: int(number) for name, number in _COUNT.findall(end[-1][1])})


def problems(text: str) -> str:
    """Failures as trial tells them, and the skipped tests by reason."""
    sections = text.split(RULE + "\n")[1:]
    if sections:
        sections[-1] = sections[-1].rpartition("-" * 79)[0]
    failed = [section for section in sections if section.startswith(("[FAIL]", "[ERROR]", "[SUCCESS!?!]"))]
    reasons: Counter[str] = Counter()
    for section in sections:
        if section.startswith("[SKIPPED]"):
            reason, _, names = section.removeprefix("[SKIPPED]\n").partition("\n\n")
            reasons[reason.strip()] += len(names.split())
    out = [RULE + "\n" + section for section in failed]
    out += [f"skipped {number}: {reason}\n" for reason, number in reasons.most_common()]
    if counts(text) is None:
        out.append("the run came to no end:\n" + "\n".join(text.splitlines()[-30:]) + "\n")
    return "".join(out)


def total(texts: list[str]) -> tuple[str, bool]:
    """The line, and whether all is well."""
    sums: Counter[str] = Counter()
    broken = 0
    for text in texts:
        found = counts(text)
        if found is None:
            broken += 1
        else:
            sums += found
    failed = sum(sums[name] for name in _BAD) + broken
    passed = sums["successes"] + sums["expectedFailures"]
    return f"{passed} passed, {failed} failed, {sums['skips']} skipped", not failed


def main() -> int:
    texts = []
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8", errors="replace") as file:
            texts.append(file.read())
    if sys.argv[1] == "--problems":
        sys.stdout.write("".join(map(problems, texts)))
        return 0
    line, well = total(texts)
    print(line)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
