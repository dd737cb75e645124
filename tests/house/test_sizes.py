"""Small files, short functions: a module is one idea (CONTRIBUTING.md)."""

from __future__ import annotations

import os
from statistics import median

from twisted.trial.unittest import SynchronousTestCase

from tests.house.sources import Source, listed, sources

LONGEST_FILE = 500
LONG_FILE = 350  # from here on a file needs a reason
LONGEST_FUNCTION = 40
SHORT_FUNCTION = 25  # nine of ten are not longer

# file -> why it is one piece
LONG_FILES: dict[str, str] = {
    "accept/smtpd/session.py": "one verb after the other, a method each",
    "cleanup/transaction.py": "one contract, a method for each of its verbs",
    "dialogs/smtp_server.py": "a state machine, with its tables",
}


def _declares(source: Source) -> bool:
    """Declarations of parameters are lists, however long."""
    return os.path.basename(source.path) == "settings.py" or source.path.startswith("settings/")


class TestSizes(SynchronousTestCase):
    def test_files(self) -> None:
        problems = [
            f"{source.path}: {source.lines} lines"
            for source in sources()
            if source.lines > (LONGEST_FILE if source.path in LONG_FILES or _declares(source) else LONG_FILE)
        ]
        self.assertEqual(problems, [], listed(problems))
        self.assertLess(median(source.lines for source in sources()), 150)

    def test_functions(self) -> None:
        sizes = [
            ((node.end_lineno or node.lineno) - node.lineno + 1, f"{source.path}: {node.name}")
            for source in sources()
            for node in source.functions()
        ]
        problems = [f"{where}: {size} lines" for size, where in sizes if size > LONGEST_FUNCTION]
        self.assertEqual(problems, [], listed(problems))
        short = sum(size <= SHORT_FUNCTION for size, _ in sizes)
        self.assertGreater(short / len(sizes), 0.9)

    def test_reasons_are_needed(self) -> None:
        """A reason that nobody needs any more is taken off the list."""
        long = {source.path for source in sources() if source.lines > LONG_FILE}
        self.assertEqual(sorted(set(LONG_FILES) - long), [])
