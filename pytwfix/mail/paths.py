"""Paths of MAIL FROM and RCPT TO (RFC 5321 section 4.1.2, and what Postfix tolerates; INVENTORY SD-6, SD-7).

`parse_path` takes the path as it came, with or without <>, and gives the address in internal form: local part
unquoted, source route removed, comments removed. None means bad syntax; nothing raises.
"""

from __future__ import annotations

import re

from pytwfix.mail.hostnames import valid_mail_domain

_SIMPLE = re.compile(rb"<([!#-'*+/-9=?A-Z^-~][!#-'*+\-./0-9=?A-Z^-~]*@[A-Za-z0-9.-]+)>\Z")
_ATOM = re.compile(rb"[^\s()<>,;:\\\"\[\]@.]+")
_SPACE = re.compile(rb"\s+")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_LITERAL = re.compile(rb"\[[^\[\]\\]*\]")

_WORD, _OPERATOR, _COMMENT = 1, 2, 3
_AT = (_OPERATOR, b"@")


def parse_path(
    path: bytes,
    strict: bool = False,
    utf8: bool = False,
    min_user: bool = False,
    numeric: bool = False,
    null: bool = False,
) -> bytes | None:
    """The address in `path` in internal form, b"" for the null path, None for bad syntax.

    `strict` wants <> and no comments (strict_rfc821_envelopes); `utf8` allows a UTF-8 domain (SMTPUTF8);
    `min_user` a leading `-` (allow_min_user); `numeric` a domain 1.2.3.4 (resolve_numeric_domain);
    `null` nothing behind the `@` (resolve_null_domain).
    """
    simple = _SIMPLE.match(path)
    if simple is not None:
        address: bytes | None = simple.group(1)
    else:
        inside = _inside(path, strict)
        address = None if inside is None else _internal(inside, strict)
    if not address:
        return address
    return address if _acceptable(address, utf8, min_user, numeric, null) else None


def _inside(path: bytes, strict: bool) -> bytes | None:
    """What is between < and >; None when they do not match or are needed and missing."""
    if not path.startswith(b"<"):
        return None if strict else path
    path = path.rstrip()
    if not path.endswith(b">"):
        return None
    return path.lstrip(b"<").rstrip(b">")


def _internal(text: bytes, strict: bool) -> bytes | None:
    tokens = _tokens(text)
    if tokens is None:
        return None
    if not strict and tokens and tokens[-1] == (_OPERATOR, b";"):
        tokens.pop()
    if strict and any(kind == _COMMENT for kind, _ in tokens):
        return None
    rest = _without_route([token for token in tokens if token[0] != _COMMENT])
    if strict and (rest[:1] == [_AT] or rest[:2] == [(_WORD, b""), _AT]):
        return None
    return _join(rest)


def _tokens(text: bytes) -> list[tuple[int, bytes]] | None:
    tokens: list[tuple[int, bytes]] = []
    at, size = 0, len(text)
    while at < size:
        char = text[at : at + 1]
        found: re.Match[bytes] | None
        if char.isspace():
            found = _SPACE.match(text, at)
        elif char == b'"':
            found = _QUOTED.match(text, at)
            if found:
                tokens.append((_WORD, _ESCAPE.sub(rb"\1", found.group(1))))
        elif char == b"[":
            found = _LITERAL.match(text, at)
            if found:
                tokens.append((_WORD, found.group(0)))
        elif char == b"(":
            at = _comment_end(text, at)
            if at < 0:
                return None
            tokens.append((_COMMENT, b""))
            continue
        elif char in b"@.:;,":
            tokens.append((_OPERATOR, char))
            at += 1
            continue
        else:
            word, at = _word(text, at)
            if not word:
                return None
            tokens.append((_WORD, word))
            continue
        if found is None:
            return None
        at = found.end()
    return tokens


def _word(text: bytes, at: int) -> tuple[bytes, int]:
    """An atom, in which a backslash takes the next character as it is."""
    parts = []
    while True:
        found = _ATOM.match(text, at)
        if found:
            parts.append(found.group(0))
            at = found.end()
        elif text[at : at + 1] == b"\\" and at + 1 < len(text):
            parts.append(text[at + 1 : at + 2])
            at += 2
        else:
            return b"".join(parts), at


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
    return -1


def _without_route(tokens: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """`@one,@two:user@host` is user@host (RFC 5321 appendix C)."""
    if tokens[:1] == [_AT] and (_OPERATOR, b":") in tokens:
        return tokens[tokens.index((_OPERATOR, b":")) + 1 :]
    return tokens


def _join(tokens: list[tuple[int, bytes]]) -> bytes | None:
    """Two words with nothing between them are no address, nor is a group."""
    previous = 0
    for kind, text in tokens:
        if kind == previous == _WORD or (kind == _OPERATOR and text in b";,"):
            return None
        previous = kind
    return b"".join(text for _, text in tokens)


def _acceptable(address: bytes, utf8: bool, min_user: bool, numeric: bool, null: bool) -> bool:
    if address.startswith(b"-") and not min_user:
        return False
    local, at, domain = address.rpartition(b"@")
    if not at:
        return True
    if not domain:
        return null or b"@" in local[1:]
    return valid_mail_domain(domain, utf8, numeric)
