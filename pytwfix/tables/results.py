"""Addresses in a table's value: `alice, "bob smith"@example.com, <carol@example.com>` (CA-4).

A value is an address list as RFC 5322 headers have it, with the comma between two words left out at will; comments go.
"""

from __future__ import annotations

_SPACE = b" \t\r\n"
Token = tuple[str, bytes]  # kind: "word", "quoted", "literal", "space", "<", ">", ":", ","; text in internal form


def split_addresses(value: bytes) -> list[bytes]:
    """The addresses in `value`, in internal form (local part unquoted)."""
    if not any(octet in value for octet in (b'"', b"<", b"(", b"\\", b";", b":", b" ", b"\t", b"[", b"\n")):
        return [part for part in value.split(b",") if part]  # the usual case
    out: list[bytes] = []
    segment: list[Token] = []
    for token in _tokens(value):
        if token[0] == ",":
            out.extend(_addresses(segment))
            segment = []
        else:
            segment.append(token)
    out.extend(_addresses(segment))
    return [address for address in out if address]


def _addresses(segment: list[Token]) -> list[bytes]:
    """What one element between commas says: the addresses in <>, or each run of tokens without space between them."""
    kinds = [kind for kind, _ in segment]
    if ":" in kinds:  # behind a group's name
        segment = segment[kinds.index(":") + 1 :]
    return _enclosed_addresses(segment) if "<" in kinds else _runs(segment)


def _enclosed_addresses(segment: list[Token]) -> list[bytes]:
    out: list[bytes] = []
    inside = False
    for kind, text in segment:
        if kind in ("<", ">"):
            inside = kind == "<"
            out.append(b"")
        elif inside and kind != "space":
            out[-1] += text
    return out


def _runs(segment: list[Token]) -> list[bytes]:
    """Words apart; `a @ b . c` is one."""
    out: list[bytes] = []
    joined = False
    for kind, text in segment:
        if kind == "space":
            joined = False
        elif joined or (out and (text[:1] in (b"@", b".") or out[-1][-1:] in (b"@", b"."))):
            out[-1] += text
            joined = True
        else:
            out.append(text)
            joined = True
    return out


def _tokens(value: bytes) -> list[Token]:
    out: list[Token] = []
    index = 0
    while index < len(value):
        char = value[index : index + 1]
        if char in (b",", b";"):
            out.append((",", char))
            index += 1
        elif char in (b"<", b">", b":"):
            out.append((char.decode(), char))
            index += 1
        elif char[0] in _SPACE:
            out.append(("space", char))
            index += 1
        elif char == b"(":
            index = _after_comment(value, index)
            out.append(("space", b" "))
        else:
            text, index = _word(value, index)
            out.append(("word", text))
    return out


def _word(value: bytes, index: int) -> tuple[bytes, int]:
    """A quoted string (unquoted), a domain literal, or plain characters up to the next special one."""
    char = value[index : index + 1]
    if char == b'"':
        return _enclosed(value, index + 1, b'"')
    if char == b"[":
        text, index = _enclosed(value, index + 1, b"]")
        return b"[" + text + b"]", index
    plain = bytearray()
    while index < len(value) and value[index : index + 1] not in b' \t\r\n,;:<>("[':
        if value[index : index + 1] == b"\\":
            index += 1
        plain += value[index : index + 1]
        index += 1
    return bytes(plain), index


def _enclosed(value: bytes, index: int, closing: bytes) -> tuple[bytes, int]:
    text = bytearray()
    while index < len(value):
        char = value[index : index + 1]
        if char == closing:
            return bytes(text), index + 1
        if char == b"\\":
            index += 1
            char = value[index : index + 1]
        text += char
        index += 1
    return bytes(text), index


def _after_comment(value: bytes, index: int) -> int:
    depth = 0
    while index < len(value):
        char = value[index : index + 1]
        index += 1
        if char == b"\\":
            index += 1
        elif char == b"(":
            depth += 1
        elif char == b")":
            depth -= 1
            if depth == 0:
                break
    return index
