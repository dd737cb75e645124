"""Address lists as headers have them, taken apart and put together again (RFC 5322 section 3.4; INVENTORY CA-8).

`parse` gives the elements of a list in order: mailboxes with what stands around the address, and the marks of groups.
Display names stay as they were written; comments inside an address go after it. Addresses are in internal form. Words
with only space between them are addresses of their own. Pure; nothing raises: what cannot be parsed is taken as words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytwfix.mail.quoting import external_form

_TOKEN = re.compile(
    rb'(?P<space>[ \t\r\n]+)|"(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*)(?:"|\Z)'
    rb"|(?P<literal>\[[^\]\\]*+(?:\\.[^\]\\]*+)*(?:\]|\Z))"
    rb"|(?P<special>[<>,;:@])|(?P<atom>(?:[^ \t\r\n\"\[<>,;:@()\\]|\\.)+|.)",
    re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_FOLD = 70
Token = tuple[str, bytes, bytes]  # kind, as written, in internal form


class Element:
    """A mailbox: `before` and `after` stand around the address, which is in <> if `angle`; or, with an `address` of
    None, other text: the name of a group, or an empty element."""

    __slots__ = ("address", "after", "angle", "before", "closes", "opens")

    def __init__(self, address: bytes | None, before: bytes = b"", after: bytes = b"", angle: bool = False) -> None:
        self.address = address
        self.before = before
        self.after = after
        self.angle = angle
        self.opens = False  # the name of a group: the next element follows without comma
        self.closes = 0  # so many groups end after it

    def text(self) -> bytes:
        """The element as it is written."""
        if self.address is None:
            return self.before
        parts = [self.before] if self.before else []
        address = external_form(self.address) if self.address else b""
        parts.append(b"<" + address + b">" if self.angle else address)
        if self.after:
            parts.append(self.after)
        return b" ".join(parts)


def tokens(text: bytes) -> Iterator[Token]:
    """Words, specials, white space and comments of a header's value."""
    at, size = 0, len(text)
    while at < size:
        if text[at : at + 1] == b"(":
            end = _comment_end(text, at)
            yield "comment", text[at:end], b""
            at = end
            continue
        match = _TOKEN.match(text, at)
        assert match is not None
        kind = match.lastgroup or "atom"
        plain = match.group(kind)
        if kind in ("quoted", "atom") and b"\\" in plain:
            plain = _ESCAPE.sub(rb"\1", plain)
        yield kind, match.group(), plain
        at = match.end()


def _comment_end(text: bytes, at: int) -> int:
    depth = 0
    while at < len(text):
        char = text[at]
        if char == 0x5C:
            at += 1
        elif char == 0x28:
            depth += 1
        elif char == 0x29:
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return len(text)


def parse(text: bytes, limit: int) -> list[Element] | None:
    """The elements of a list; None for a list of more than `limit` tokens."""
    elements: list[Element] = []
    segment: list[Token] = []
    in_group = angle = False
    for count, token in enumerate(tokens(text)):
        if count >= limit:
            return None
        mark = token[1] if token[0] == "special" else b""
        if mark == b"<":
            angle = True
        elif mark == b">":
            angle = False
        if angle or mark not in (b",", b";", b":") or (mark == b":" and (in_group or _route(segment))):
            segment.append(token)
            continue
        if mark == b":":
            name = Element(None, b"".join(raw for _, raw, _ in segment).strip() + b":")
            name.opens = in_group = True
            elements.append(name)
        elif mark == b",":
            found = _mailboxes(segment)
            if not found and not (elements and elements[-1].closes):
                found = [Element(None)]
            elements.extend(found)
        else:
            elements.extend(_mailboxes(segment))
            if elements:
                elements[-1].closes += 1
            in_group = False
        segment = []
    elements.extend(_mailboxes(segment))
    return elements


def _route(segment: list[Token]) -> bool:
    """A colon after `@one` ends a source route, not the name of a group."""
    return any(kind == "special" and raw == b"@" for kind, raw, _ in segment)


def _mailboxes(segment: list[Token]) -> list[Element]:
    """The mailboxes between two commas: one with <>, or each run of words without space between them."""
    for index, (kind, raw, _) in enumerate(segment):
        if kind == "special" and raw == b"<":
            return _angle(segment, index)
    return _bare(segment)


def _angle(segment: list[Token], start: int) -> list[Element]:
    before = b"".join(raw for _, raw, _ in segment[:start]).strip()
    end = next((i for i in range(start, len(segment)) if segment[i][1] == b">" and segment[i][0] == "special"), -1)
    if end < 0:
        end = len(segment)
    inside = [token for token in segment[start + 1 : end] if token[0] not in ("space", "comment")]
    comments = [raw for kind, raw, _ in segment[start + 1 :] if kind == "comment"]
    rest = [token for token in segment[end + 1 :] if token[0] != "comment"]
    element = Element(_join(inside), before, b" ".join(comments), True)
    return [element, *_bare(rest)]


def _bare(segment: list[Token]) -> list[Element]:
    runs: list[list[Token]] = []
    comments: list[bytes] = []
    joined = False
    for token in segment:
        kind, raw, _ = token
        if kind == "comment":
            comments.append(raw)
        elif kind == "space":
            joined = bool(runs) and _open(runs[-1])
        elif joined or (runs and (raw in (b"@", b":") or raw[:1] == b".")):
            runs[-1].append(token)
            joined = True
        else:
            runs.append([token])
            joined = True
    elements = [Element(_join(run)) for run in runs]
    if comments:
        if not elements:
            return [Element(None, b" ".join(comments))]
        elements[-1].after = b" ".join(comments)
    return elements


def _open(run: list[Token]) -> bool:
    """Whether what follows the space belongs to the address: after an @ or a dot."""
    return run[-1][1] in (b"@", b":") or (run[-1][0] == "atom" and run[-1][1].endswith(b"."))


def _join(run: list[Token]) -> bytes:
    """The address in internal form."""
    return b"".join(plain for _, _, plain in run)


def render(name: bytes, elements: list[Element]) -> bytes:
    """The field `name`, folded between elements."""
    lines: list[bytes] = []
    line = name + b": "
    start = len(line)
    for unit, comma in _units(elements):
        fresh = len(line) == start and not lines
        addition = unit if fresh or line == b"\t" else b" " + unit
        if not fresh and line != b"\t" and len(line) + len(addition) + comma >= _FOLD:
            lines.append(line)
            line, addition = b"\t", unit
        line += addition + (b"," if comma else b"")
    lines.append(line)
    return b"\r\n".join(lines) + b"\r\n"


def _units(elements: list[Element]) -> Iterator[tuple[bytes, bool]]:
    """What is not broken over lines, and whether a comma follows it. A group's name stays with its first member."""
    unit = b""
    last = len(elements) - 1
    for index, element in enumerate(elements):
        unit += element.text()
        if element.opens:
            unit += b" "
            if not element.closes:
                continue
        unit += b";" * element.closes
        yield unit, index < last
        unit = b""
    if unit:
        yield unit, False
