"""Address lists as headers have them, taken apart and put together again (RFC 5322 section 3.4; INVENTORY CA-8).

`parse` gives the elements of a list in order: mailboxes with what stands around the address, and the marks of groups.
Display names stay as they were written, on one line; comments inside an address go after it. Addresses are in internal
form. Words without an operator between them are addresses of their own; a bar and a stray `)` are operators, too. Pure;
nothing raises: what cannot be parsed is taken as words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytwfix.mail.quoting import external_form

_TOKEN = re.compile(
    rb'(?P<space>[ \t\r\n]+)|"(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*)(?:"|\\?\Z)'
    rb"|(?P<special>[<>,;:@])|(?P<glue>[|)])|(?P<atom>(?:[^ \t\r\n\"\[<>,;:@()|\\]|\\(?:.|\Z))+)",
    re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(.|\Z)", re.DOTALL)
_MUST_ESCAPE = re.compile(rb'(["\\])')
_WHITE = re.compile(rb"\r\n|[ \t\r\n]")
_PARTS = re.compile(rb"\.|[^.]+")
_FOLD = 70
Token = tuple[str, bytes, bytes]  # kind, as written, in internal form


class Element:
    """A mailbox: `before` and `after` stand around the address, which is in <> if `angle`; or, with an `address` of
    None, other text: the name of a group, or an empty element."""

    __slots__ = (
        "address", "after", "angle", "before", "closes", "complete", "glued", "inner", "opens", "quoted", "written",
    )  # fmt: skip

    def __init__(self, address: bytes | None, before: bytes = b"", after: bytes = b"", angle: bool = False) -> None:
        self.address = address
        self.before = before
        self.after = after
        self.angle = angle
        self.inner = b""  # comments within <>
        self.written = b""  # the address as it came, without space and comments
        self.complete = False  # it has an @ that is not part of a word
        self.quoted = False  # some word of it is, or is in []
        self.opens = False  # the name of a group: the next element follows without comma
        self.closes = 0  # so many groups end after it
        self.glued = False  # there is no comma in front of it

    def text(self) -> bytes:
        """The element as it is written."""
        if self.address is None:
            return self.before
        address = external_form(self.address) if self.address else b""
        if self.angle:
            inside = address + (b" " + self.inner if self.inner else b"")
            return (self.before + b" " if self.before else b"") + b"<" + inside + b">" + self.after
        return b" ".join(part for part in (self.before, address, self.after) if part)


def tokens(text: bytes) -> Iterator[Token]:
    """Words, specials, white space and comments of a header's value."""
    at, size = 0, len(text)
    while at < size:
        if text[at : at + 1] in (b"(", b"["):
            end = _closed(text, at, b"()" if text[at] == 0x28 else b"[]")
            raw, at = text[at:end], end
            yield ("comment", raw, b"") if raw[:1] == b"(" else ("literal", raw, raw)
            continue
        match = _TOKEN.match(text, at)
        assert match is not None
        kind = match.lastgroup or "atom"
        plain = match.group(kind)
        if kind in ("quoted", "atom") and b"\\" in plain:
            plain = _ESCAPE.sub(rb"\1", plain)
        yield kind, match.group(), plain
        at = match.end()


def _closed(text: bytes, at: int, marks: bytes) -> int:
    """Where a comment or a literal, which may have others in it, ends."""
    depth = 0
    while at < len(text):
        char = text[at]
        if char == 0x5C:
            at += 1
        elif char == marks[0]:
            depth += 1
        elif char == marks[1]:
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return len(text)


def parse(text: bytes, limit: int) -> list[Element]:
    """The elements of a list; what is behind `limit` tokens is discarded (CL-5)."""
    elements: list[Element] = []
    segment: list[Token] = []
    in_group = angle = False
    for token in _resolved(_limited(tokens(text), limit)):
        mark = token[1] if token[0] == "special" else b""
        if mark == b"<":
            angle = True
        elif mark == b">":
            angle = False
        if angle or mark not in (b",", b";", b":") or (mark == b":" and (in_group or _route(segment))):
            segment.append(token)
            continue
        if mark == b":":
            name = Element(None, _phrase(segment) + b":")
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


def _limited(found: Iterator[Token], limit: int) -> list[Token]:
    """So many tokens, where each dot counts as one."""
    kept: list[Token] = []
    for kind, raw, plain in found:
        parts = _PARTS.findall(raw) if kind == "atom" else [raw]
        if kind != "space" and len(parts) > limit:
            if limit and kind == "atom":
                part = b"".join(parts[:limit])
                kept.append((kind, part, _ESCAPE.sub(rb"\1", part)))
            break
        limit -= len(parts) if kind != "space" else 0
        kept.append((kind, raw, plain))
    return kept


def _resolved(found: list[Token]) -> list[Token]:
    """The tokens with each `<` that is not closed, and each `:` of a group that does not end, as part of a word."""
    closed = ended = False
    for at in range(len(found) - 1, -1, -1):
        kind, raw, plain = found[at]
        if kind != "special":
            continue
        if raw == b">":
            closed = True
        elif raw == b"<":
            if not closed:
                found[at] = ("glue", raw, plain)
            closed = False
        elif raw == b";":
            ended = True
        elif raw == b":" and not ended and not closed and not _route(found, at):
            found[at] = ("glue", raw, plain)
    return found


def _route(segment: list[Token], end: int = -1) -> bool:
    """A colon after `@one`, which is what ends at `end`, ends a source route, not the name of a group."""
    for at in range((len(segment) if end < 0 else end) - 1, -1, -1):
        kind, raw, _ = segment[at]
        if kind == "special" and raw == b"@":
            return True
        if kind == "special" and raw in b";:,":
            break
    return False


def _mailboxes(segment: list[Token]) -> list[Element]:
    """The mailboxes between two commas: those with <>, or each run of words without an operator between them."""
    found: list[Element] = []
    at = 0
    while (place := _mark(segment, at)) >= 0:
        if segment[place][1] == b">":
            return [*found, Element(None, _raw(segment[at:]))]  # there is no sense in it
        end = next((i for i in range(place, len(segment)) if segment[i][:2] == ("special", b">")), -1)
        element = _angle(segment[at:place], segment[place + 1 : end])
        if not found:  # comments of all that follows go behind the first
            rest = segment[end + 1 :]
            element.after = b" ".join(_spaced(raw) for kind, raw, _ in rest if kind == "comment")
            segment = [*segment[: end + 1], *(token for token in rest if token[0] != "comment")]
        element.glued = bool(found) and not element.before
        found.append(element)
        at = end + 1
    return found + _bare(segment[at:])


def _mark(segment: list[Token], start: int) -> int:
    """The place of the next < or >; -1: there is none."""
    for at in range(start, len(segment)):
        if segment[at][0] == "special" and segment[at][1] in b"<>":
            return at
    return -1


def _raw(segment: list[Token]) -> bytes:
    return b"".join(raw for _, raw, _ in segment).strip()


def _angle(before: list[Token], inside: list[Token]) -> Element:
    element = _mailbox([token for token in inside if token[0] not in ("space", "comment")])
    element.before = _phrase(before)
    element.angle = True
    element.inner = b" ".join(_spaced(raw) for kind, raw, _ in inside if kind == "comment")
    return element


def _phrase(segment: list[Token]) -> bytes:
    """A display name, or a group's, on one line."""
    words: list[bytes] = []
    for at, (kind, raw, plain) in enumerate(segment):
        if at and _adjacent(segment[at - 1], segment[at]):
            words.append(b" ")
        if kind == "quoted":
            words.append(b'"' + _MUST_ESCAPE.sub(rb"\\\1", _spaced(plain)) + b'"')
        else:
            words.append(b" " if kind == "space" else _spaced(raw))
    return b"".join(words).strip()


def _adjacent(one: Token, other: Token) -> bool:
    """Whether two words, one of them in quotes, stand side by side."""
    kinds = one[0], other[0]
    return "quoted" in kinds and "space" not in kinds and one[1][-1:] != b"." and other[1][:1] != b"."


def _spaced(text: bytes) -> bytes:
    """Text with each white space, and each end of a line, as a space."""
    return _WHITE.sub(b" ", text)


def _bare(segment: list[Token]) -> list[Element]:
    runs: list[list[Token]] = []
    comments: list[tuple[int, bytes]] = []  # with the number of the run that they go behind
    space = False
    for token in segment:
        kind, raw, _ = token
        if kind == "comment":
            comments.append((max(len(runs) - 1, 0), _spaced(raw)))
        elif kind == "space":
            space = True
        else:
            if runs and (_joins(token) or _open(runs[-1])):
                if space and raw == b"<":
                    runs[-1].append(("glue", b" ", b" "))
                runs[-1].append(token)
            else:
                runs.append([token])
            space = False
    elements = [_mailbox(run) for run in runs] or ([Element(None)] if comments else [])
    for at, comment in comments:
        element = elements[at]
        if element.address is None:
            element.before = (element.before + b" " + comment).strip()
        else:
            element.after = (element.after + b" " + comment).strip()
    return elements


def _joins(token: Token) -> bool:
    """Whether a token belongs to the address in front of it."""
    return token[0] == "glue" or token[1] in (b"@", b":") or token[1][:1] == b"."


def _open(run: list[Token]) -> bool:
    """Whether what follows belongs to the address: after an @ or a dot."""
    kind, raw, _ = run[-1]
    return kind == "glue" or raw in (b"@", b":") or (kind == "atom" and raw.endswith(b"."))


def _mailbox(run: list[Token]) -> Element:
    """The address in internal form, and as it was written."""
    element = Element(b"".join(b", " if plain == b"," else plain for _, _, plain in run))
    element.written = b"".join(raw for _, raw, _ in run)
    element.complete = any(kind == "special" and raw == b"@" for kind, raw, _ in run)
    element.quoted = any(kind in ("quoted", "literal") for kind, _, _ in run)
    return element


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
        yield unit, index < last and not elements[index + 1].glued
        unit = b""
    if unit:
        yield unit, False
