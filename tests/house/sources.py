"""The product's source, parsed once, for the tests of the house."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache

import pytwfix

PACKAGE = os.path.dirname(os.path.abspath(pytwfix.__file__))
ROOT = os.path.dirname(PACKAGE)


class Source:
    """One module: `name` is pytwfix.cleanup.headers, `path` cleanup/headers.py."""

    def __init__(self, path: str) -> None:
        self.path = os.path.relpath(path, PACKAGE)
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.tree = ast.parse(self.text)
        parts = self.path.removesuffix(".py").split(os.sep)
        self.is_package = parts[-1] == "__init__"
        self.name = ".".join(["pytwfix", *(parts[:-1] if self.is_package else parts)])

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def imports(self) -> Iterator[str]:
        """Full names of what is imported, wherever it stands: `from a import b` gives a.b."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def calls(self) -> Iterator[str]:
        """What is called or taken by a dotted name, such as `os.open`; a bare call as `open`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                yield f"{node.value.id}.{node.attr}"
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id


@cache
def sources() -> tuple[Source, ...]:
    """All modules of the product."""
    found = []
    for folder, folders, files in os.walk(PACKAGE):
        folders.sort()
        found += [Source(os.path.join(folder, name)) for name in sorted(files) if name.endswith(".py")]
    return tuple(found)


def listed(problems: list[str]) -> str:
    """A message for an assertion."""
    return "\n" + "\n".join(problems)
