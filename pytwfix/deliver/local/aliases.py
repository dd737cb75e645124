r"""The right-hand side of an alias, a line of a .forward or an :include: file (AL-1).

Items are separated by commas: an address, `/file`, `|command`, `:include:/file`, each also in double quotes; `\user`
is that user's mailbox, without alias or .forward. Comments in ( ) are skipped, `name <address>` is address. Addresses
come out in internal form. What makes no sense becomes an item BAD, never an exception.
"""

from __future__ import annotations

import re
from typing import NamedTuple

ADDRESS, MAILBOX, COMMAND, FILE, INCLUDE, BAD = "address", "mailbox", "command", "file", "include", "bad"


class Item(NamedTuple):
    """`kind` is one of the words above, `value` the address, command, path or text."""

    kind: str
    value: bytes


_TOKEN = re.compile(
    rb"""(?P<space>\s+)
    | "(?P<quoted>(?:[^"\\]|\\.)*)(?:"|\Z)
    | (?P<literal>\[[^\[\]]*\])
    | (?P<operator>[@.:;<>,])
    | (?P<word>(?:[^\s()<>@,;:."\[\]\\]|\\.)+)
    | (?P<open>\()
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


def parse_file(text: bytes) -> list[Item]:
    """Every line of a .forward or :include: file; lines that begin with # are comments."""
    items: list[Item] = []
    for line in text.split(b"\n"):
        if not line.lstrip().startswith(b"#"):
            items.extend(parse(line))
    return items


def parse(text: bytes) -> list[Item]:
    """One alias value or line."""
    items: list[Item] = []
    for part in _split(text.replace(b"\r", b" ").replace(b"\n", b" ")):
        items.extend(_classify(part.strip()))
    return items


def _split(text: bytes) -> list[bytes]:
    """At commas that are neither quoted nor in a comment, in <> or []. The members of `group: a, b;` stand for it."""
    parts: list[bytes] = []
    start = depth = 0
    quoted = angle = literal = False
    at, size = 0, len(text)
    while at < size:
        char = text[at]
        if char == 0x5C:
            at += 1
        elif char == 0x22 and not depth:
            quoted = not quoted
        elif quoted:
            pass
        elif char == 0x28:
            depth += 1
        elif depth:
            depth -= char == 0x29
        elif char in b"<>":
            angle = char == 0x3C
        elif char in b"[]":
            literal = char == 0x5B
        elif char == 0x2C and not (angle or literal):
            parts.append(text[start:at])
            start = at + 1
        elif char in b":;" and not (angle or literal) and _may_group(text[start:at], char):
            if char == 0x3B:
                parts.append(text[start:at])
            start = at + 1
        at += 1
    parts.append(text[start:])
    return parts


def _may_group(before: bytes, char: int) -> bool:
    """Whether a colon or semicolon begins or ends a group: not in a command or file, nor in :include:."""
    before = before.lstrip()
    return not before.startswith((b"|", b"/", b":", b'"|', b'"/', b'":')) and bool(before or char == 0x3B)


def _classify(part: bytes) -> list[Item]:
    if not part:
        return []
    inner = part
    if len(part) > 1 and part.startswith(b'"') and part.endswith(b'"'):
        inner = _ESCAPE.sub(rb"\1", part[1:-1])
        if not inner.startswith((b"|", b"/", b":include:")):
            inner = part
    if inner.startswith(b"|"):
        command = inner[1:].strip()
        return [Item(COMMAND, command)] if command else [Item(BAD, part)]
    if inner is part and inner.lower().startswith((b"/", b":include:")):
        # Without quotes a name ends at a space.
        name, _, rest = (inner if inner.startswith(b"/") else inner[9:].lstrip()).partition(b" ")
        kind = FILE if inner.startswith(b"/") else INCLUDE
        return [Item(kind, name), *_classify(rest.strip())]
    if inner.startswith(b"/"):
        return [Item(FILE, inner)]
    if inner.lower().startswith(b":include:"):
        return [Item(INCLUDE, inner[9:].strip())]
    if inner.startswith(b"\\") and inner[1:2].isalnum():
        return [Item(MAILBOX, inner[1:])]
    return _addresses(part)


def _addresses(part: bytes) -> list[Item]:
    tokens = _tokens(part)
    if tokens is None:
        return [Item(BAD, part)]
    if len(tokens) == 1 and tokens[0][0] == "quoted" and b"@" in tokens[0][1]:
        return [Item(BAD, tokens[0][1])]  # a whole address in quotes would look like one with a domain
    opening, closing = _places(tokens, b"<"), _places(tokens, b">")
    if opening:
        if not closing or closing[-1] < opening[-1]:
            return [Item(BAD, part)]
        tokens = _without_route(tokens[opening[-1] + 1 : closing[-1]])
    if any(kind == "operator" and text in (b":", b";", b"<", b">") for kind, text, _ in tokens):
        return [Item(BAD, part)]
    return [Item(ADDRESS, address) for address in _join(tokens) if address]


def _places(tokens: list[tuple[str, bytes, bool]], operator: bytes) -> list[int]:
    return [number for number, (kind, text, _) in enumerate(tokens) if kind == "operator" and text == operator]


def _without_route(tokens: list[tuple[str, bytes, bool]]) -> list[tuple[str, bytes, bool]]:
    """<@a,@b:user@host> is user@host."""
    places = _places(tokens, b":")
    return tokens[places[0] + 1 :] if places and tokens[0][1] == b"@" else tokens


def _tokens(part: bytes) -> list[tuple[str, bytes, bool]] | None:
    """(kind, text, space before it); None for what cannot be in an address. Quotes and comments may lack their ends."""
    tokens: list[tuple[str, bytes, bool]] = []
    space = False
    at = 0
    while at < len(part):
        match = _TOKEN.match(part, at)
        if match is None or match.lastgroup == "other":
            return None
        kind, at = match.lastgroup or "", match.end()
        if kind == "space":
            space = True
        elif kind == "open":
            at = _comment_end(part, at)
            space = True
        else:
            text = match.group(kind)
            if kind in ("quoted", "word"):
                text = _ESCAPE.sub(rb"\1", text)
            tokens.append((kind, text, space))
            space = False
    return tokens


def _comment_end(part: bytes, at: int) -> int:
    depth = 1
    while at < len(part):
        char = part[at]
        if char == 0x5C:
            at += 1
        elif char == 0x28:
            depth += 1
        elif char == 0x29:
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return at


def _join(tokens: list[tuple[str, bytes, bool]]) -> list[bytes]:
    """Words with space and no operator between them are different addresses."""
    found: list[bytes] = []
    present = bytearray()
    previous = ""
    for kind, text, space in tokens:
        if space and present and kind != "operator" and previous != "operator":
            found.append(bytes(present))
            present = bytearray()
        present += text
        previous = kind
    found.append(bytes(present))
    return found
