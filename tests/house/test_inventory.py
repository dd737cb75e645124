"""What a module says it answers to is tested: each ID in a docstring of the product is named by a test.

IDs are those of the inventory of Postfix's behaviour, such as SD-40 or PM-1 to PM-4. Contracts and declarations of
parameters name what others build.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests.house.sources import ROOT, listed, sources

_KINDS = (
    "AD|AL|AN|BO|CA|CF|CL|DB|DI|DL|DN|DS|ER|FL|LG|LK|LO|MA|MC|MD|MI|MT|MX|NB|NP|NV|OB|PC|PD|PI|PK|PL|PM|PQ|PR|PS|PT|"
    "PX|QD|QM|QP|QS|QU|RF|RX|SC|SD|SE|SK|SM|SP|SQ|SS|ST|SV|TF|TL|TM|TP|TR|TS|VE|VI"
)
_ID = re.compile(rf"\b({_KINDS})-(\d+)(?:(?: to |\.\.)(?:[A-Z]{{2}}-)?(\d+))?\b")
# ID -> why no test names it
UNTESTED: dict[str, str] = {}


def ids(text: str) -> Iterator[str]:
    """All IDs of a text, those of a range too."""
    for match in _ID.finditer(text):
        first = int(match[2])
        for number in range(first, int(match[3] or first) + 1):
            yield f"{match[1]}-{number}"


def _documented(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


class TestInventory(SynchronousTestCase):
    def test_named_by_tests(self) -> None:
        tested: set[str] = set()
        for folder, _, files in os.walk(os.path.join(ROOT, "tests")):
            for name in files:
                if name.endswith((".py", ".chat")):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        tested.update(ids(file.read()))
        problems = [
            f"{source.path}: {found}"
            for source in sources()
            if not source.path.startswith(("contracts/", "settings/"))  # these promise
            if not source.path.endswith("settings.py")
            for found in sorted({one for text in _documented(source.tree) for one in ids(text)})
            if found not in tested and found not in UNTESTED
        ]
        self.assertEqual(problems, [], listed(problems))

    def test_ids(self) -> None:
        self.assertEqual(list(ids("SD-4, PM-1 to PM-3; QM-2..QM-3, RF-1 to 2; XX-1")), [
            "SD-4", "PM-1", "PM-2", "PM-3", "QM-2", "QM-3", "RF-1", "RF-2",
        ])  # fmt: skip
