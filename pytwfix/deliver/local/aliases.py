r"""The right-hand side of an alias, a line of a .forward or an :include: file (AL-1).

It is a list of addresses as headers have them (mail/addresslist.py): with names, comments, groups, and words without
an operator between them as addresses of their own, so that a command with arguments has to be quoted. An address is
looked at in internal form: `|command`, `/file`, `~/file` (of a user's home), `:include:/file`; `\user`, whose backslash
has to be doubled or quoted to be there still, is left as it is. Nothing raises.
"""

from __future__ import annotations

from typing import NamedTuple

from pytwfix.mail import addresslist

ADDRESS, COMMAND, FILE, INCLUDE = "address", "command", "file", "include"
_INCLUDE = b":include:"
_NO_LIMIT = 1 << 30


class Item(NamedTuple):
    """`kind` is one of the words above, `value` the address, command, path or text."""

    kind: str
    value: bytes


def parse_file(text: bytes) -> list[list[Item]]:
    """Every line of a .forward or :include: file that has anything; lines that begin with # are comments. What is in
    quotes that are not closed has the line's end, too, as a space."""
    lines = (parse(line + b" ") for line in text.split(b"\n") if not line.startswith(b"#"))
    return [items for items in lines if items]


def parse(text: bytes) -> list[Item]:
    """One alias value or line."""
    items: list[Item] = []
    for one in addresslist.parse(text, _NO_LIMIT):
        if one.address is None:
            if b">" in one.before:
                items.extend(parse(one.before.replace(b">", b" ")))  # what closes nothing separates
        elif one.address or one.written:
            items.append(_classify(one.address))
    return items


def _classify(address: bytes) -> Item:
    if address.startswith(b"|"):
        return Item(COMMAND, address[1:])
    if address.startswith((b"/", b"~")):
        return Item(FILE, address)
    if address[: len(_INCLUDE)].lower() == _INCLUDE:
        return Item(INCLUDE, address[len(_INCLUDE) :])
    return Item(ADDRESS, address)
