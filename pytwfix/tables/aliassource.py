"""Text of aliases(5): `name: value, value` (PM-2).

A name is local and is stored in external form (quoted where RFC 5322 wants it); a value is stored as its tokens, with
one space between words and behind commas, and without what has no meaning. Units: bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pytwfix.tables.textsource import beginning, is_utf8, logical_lines, shown

_SPACE = b" \t\r\n\v\f"
_SPECIALS = b"<>,:;@.!%"  # stand alone; ! and % are no RFC 5322 specials, but part words all the same
_PLAIN_ATOM = re.compile(rb'[^\x00-\x20()<>@,;:\\".\[\]\x7f]+\Z')
_MUST_ESCAPE = re.compile(rb'(["\\])')

WORD, QUOTED, LITERAL, COMMENT, SPECIAL = "word", "quoted", "literal", "comment", "special"
Token = tuple[str, bytes]


def alias_entries(
    data: bytes, path: str, warn: Callable[[str], None], utf8: bool = True
) -> Iterator[tuple[int, bytes, bytes]]:
    """(line number, name in external form, value); what is wrong with a line is said by `warn`."""
    for number, line in logical_lines(data):
        place = f"{path}, line {number}"
        if utf8 and not is_utf8(line):
            warn(f'{place}: non-UTF-8 input "{shown(line)}" -- ignoring this line')
            continue
        if line[0] in _SPACE:
            warn(f'{path}: logical line must not start with whitespace: "{beginning(line)}"')
            continue
        tokens = list(_tokens(line))
        colon = next((i for i, token in enumerate(tokens) if token == (SPECIAL, b":")), -1)
        name, value = tokens[:colon], tokens[colon + 1 :]
        if colon <= 0 or not value or (SPECIAL, b",") in name:
            warn(f"{place}: need name:value pair")
        elif (SPECIAL, b"@") in name:
            warn(f"{place}: name must be local")
        else:
            yield number, _name(name), text_of(value)


def _name(tokens: list[Token]) -> bytes:
    """The name in external form: quoted as a whole when a part of it must be."""
    bare = _joined([(kind, b"[" + text + b"]" if kind == LITERAL else text) for kind, text in tokens])
    if len(tokens) == 1 and tokens[0][0] in (WORD, QUOTED):
        bare = tokens[0][1]
    if all(_PLAIN_ATOM.match(part) for part in bare.split(b".")):
        return bare
    return b'"' + _MUST_ESCAPE.sub(rb"\\\1", bare) + b'"' if any(kind == QUOTED for kind, _ in tokens) else bare


def text_of(tokens: list[Token]) -> bytes:
    """Tokens as text, each in external form."""
    return _joined([(kind, _external(kind, text)) for kind, text in tokens])


def _external(kind: str, text: bytes) -> bytes:
    if kind == QUOTED or (kind == WORD and not _PLAIN_ATOM.match(text)):
        return b'"' + _MUST_ESCAPE.sub(rb"\\\1", text) + b'"'
    if kind == LITERAL:
        return b"[" + text + b"]"
    return text


def _joined(tokens: list[Token]) -> bytes:
    out: list[bytes] = []
    before: Token = (SPECIAL, b"")
    for token in tokens:
        words = before[0] != SPECIAL and token[0] != SPECIAL
        if words or (token == (SPECIAL, b"<") and out and before != (SPECIAL, b",")):
            out.append(b" ")
        out.append(token[1] + b" " if token == (SPECIAL, b",") else token[1])
        before = token
    return b"".join(out)


def _tokens(line: bytes) -> Iterator[Token]:
    index = 0
    while index < len(line):
        char = line[index : index + 1]
        if char in _SPACE_BYTES:
            index += 1
        elif char == b'"':
            text, index = _enclosed(line, index + 1, b'"')
            yield QUOTED, text
        elif char == b"[":
            text, index = _enclosed(line, index + 1, b"]")
            yield LITERAL, text
        elif char == b"(":
            end = _comment_end(line, index)
            yield COMMENT, line[index:end]
            index = end
        elif char in _SPECIAL_BYTES:
            yield SPECIAL, char
            index += 1
        else:
            text, index = _atom(line, index)
            yield WORD, text


_SPACE_BYTES = frozenset(bytes([octet]) for octet in _SPACE)
_SPECIAL_BYTES = frozenset(bytes([octet]) for octet in _SPECIALS)
_ENDS_ATOM = frozenset(_SPACE + _SPECIALS + b'"([')


def _atom(line: bytes, index: int) -> tuple[bytes, int]:
    text = bytearray()
    while index < len(line) and line[index] not in _ENDS_ATOM:
        if line[index] == 0x5C and index + 1 < len(line):
            index += 1
        text.append(line[index])
        index += 1
    return bytes(text), index


def _enclosed(line: bytes, index: int, closing: bytes) -> tuple[bytes, int]:
    text = bytearray()
    while index < len(line):
        char = line[index : index + 1]
        if char == closing:
            return bytes(text), index + 1
        if char == b"\\" and index + 1 < len(line):
            index += 1
        text.append(line[index])
        index += 1
    return bytes(text), index


def _comment_end(line: bytes, index: int) -> int:
    depth = 0
    while index < len(line):
        char = line[index : index + 1]
        index += 1
        if char == b"\\":
            index += 1
        elif char == b"(":
            depth += 1
        elif char == b")":
            depth -= 1
            if depth == 0:
                break
    return min(index, len(line))
