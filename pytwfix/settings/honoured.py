"""Which parameters the code reads. A name that main.cf sets and nothing reads is not honoured, and is said at start.

`scan` looks at the source: attributes that are read, names in strings, and `$name` in strings; what the default of an
honoured parameter mentions is honoured too. The result is kept in honoured.txt, which a test compares with the source.
To write it anew: `python -m pytwfix.settings.honoured`.
"""

from __future__ import annotations

import os

from pytwfix.basics.macros import MacroError, names
from pytwfix.settings import registry, transports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytwfix.settings.kinds import Parameter
    from pytwfix.settings.snapshot import Snapshot

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "honoured.txt")
# What Postfix's installation reads and nobody else, and what the SASL client is given that makes nothing of it.
INERT = frozenset(
    (
        "daemon_directory",
        "html_directory",
        "lmtp_sasl_path",
        "mailq_path",
        "manpage_directory",
        "meta_directory",
        "newaliases_path",
        "readme_directory",
        "sample_directory",
        "shlib_directory",
        "smtp_sasl_path",
    )
)
# These name parameters without reading them.
TALK = frozenset(("clienttables", "compatibility", "deprecated", "deviations", "honoured", "lint", "registry"))


def honoured() -> frozenset[str]:
    """The names in the kept file; `*_suffix` stands for a parameter of any service."""
    with open(FILE, encoding="ascii") as file:
        return frozenset(line.rstrip("\n") for line in file if not line.startswith("#"))


def unhonoured(snapshot: Snapshot) -> list[str]:
    """What the configuration sets and no code reads."""
    read = honoured()
    known = registry.parameters()
    found = []
    for name in sorted(snapshot.names()):
        if name in known:
            if name not in read and name not in INERT:
                found.append(name)
        elif _suffix(name) is not None and f"*_{_suffix(name)}" not in read:
            found.append(name)
    return found


def _suffix(name: str) -> str | None:
    for suffix in (*transports.DELIVERY, *transports.COMMAND):
        if name.endswith("_" + suffix):
            return suffix
    return None


def scan() -> frozenset[str]:
    """The names that the source reads."""
    attributes: set[str] = set()
    words: set[str] = set()
    for path in _sources():
        _read(path, attributes, words)
    read = set()
    for parameter in registry.parameters().values():
        if parameter.attribute in attributes or parameter.name in words:
            read.add(parameter.name)
    for suffix in (*transports.DELIVERY, *transports.COMMAND):
        if suffix in words or any(word.endswith("_" + suffix) for word in words):
            read.add(f"*_{suffix}")
            words.update(names(transports.declaration("x", suffix).default))
    read.update(name for name in words if name in registry.parameters())
    return frozenset(_with_mentioned(read, registry.parameters()))


def _with_mentioned(read: set[str], known: dict[str, Parameter]) -> set[str]:
    """And all that defaults of these mention."""
    waiting = [name for name in read if name in known]
    while waiting:
        for name in _mentioned(known[waiting.pop()].default):
            if name in known and name not in read:
                read.add(name)
                waiting.append(name)
    return read


def _mentioned(text: str) -> Iterable[str]:
    """The parameters in a value; one that is taken as it stands may hold any signs."""
    try:
        return names(text)
    except MacroError:
        return ()


def _sources() -> Iterator[str]:
    declarations = {os.path.join(PACKAGE, *module.split(".")) + ".py" for module in registry.MODULES}
    for folder, _folders, files in os.walk(PACKAGE):
        for file in files:
            path = os.path.join(folder, file)
            talk = os.path.dirname(path) == os.path.dirname(FILE) and file.removesuffix(".py") in TALK
            if file.endswith(".py") and path not in declarations and not talk:
                yield path


def _read(path: str, attributes: set[str], words: set[str]) -> None:
    """Add what one module reads."""
    import ast

    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            attributes.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
            if "$" in node.value:
                words.update(_mentioned(node.value))


def main() -> None:
    """Write the file."""
    with open(FILE, "w", encoding="ascii") as file:
        file.write("# Parameters that the code reads. Written by python -m pytwfix.settings.honoured\n")
        file.writelines(name + "\n" for name in sorted(scan()))


if __name__ == "__main__":
    main()
