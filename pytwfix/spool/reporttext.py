"""The text of bounce/, defer/ and trace/ files (INVENTORY RF-6). Light: listings read them.

A block for each recipient, between empty lines: `<address>: reason` for people, then `name=value` lines. Addresses are
in external form. What is no such block is left out: a file may have been cut off by a crash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytwfix.basics.printable import printable
from pytwfix.mail.quoting import external_form

Entry = dict[str, str]
_LINE = re.compile(r"^([A-Za-z_]+)=(.*)$", re.MULTILINE)
_NAMES = frozenset(("recipient", "original_recipient", "offset", "dsn_orig_rcpt", "status", "action", "reason"))
_USUAL = re.compile(rb"[0-9A-Za-z_+-]+(?:\.[0-9A-Za-z_+-]+)*@[0-9A-Za-z.-]+\Z")  # needs neither quotes nor care


def block(entry: Entry) -> bytes:
    """One recipient's block. `entry` has at least recipient and reason, in the order in which they are written."""
    head = f"\n<{entry['recipient']}>: {entry['reason']}\n"
    lines = "".join(f"{name}={value}\n" for name, value in entry.items() if value)
    return f"{head}{lines}\n".encode("utf-8", "surrogateescape")


def entries(data: bytes) -> Iterator[Entry]:
    """All blocks of a file that have a recipient."""
    if b"\n\n" not in data.strip(b"\n"):
        yield from _only(data)
        return
    entry: Entry = {}
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        if not line:
            if "recipient" in entry:
                yield entry
            entry = {}
            continue
        name, equals, value = line.partition("=")
        if equals and (name in _NAMES or name.replace("_", "").isalpha()):
            entry.setdefault(name, value)
    if "recipient" in entry:
        yield entry


def _only(data: bytes) -> Iterator[Entry]:
    """Of a file with one block, as most are. The first line of a name counts."""
    found = dict(reversed(_LINE.findall(data.decode("utf-8", "surrogateescape"))))
    if "recipient" in found:
        yield found


def shown_address(address: bytes) -> str:
    """An address of internal form as it stands in these files and in listings."""
    if _USUAL.match(address):
        return address.decode("ascii")
    return printable(external_form(address), utf8=True)
