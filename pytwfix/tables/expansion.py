"""%s, %u, %d, %S, %U, %D, %1 to %9 and %% in queries and result formats (MT-8).

In a query they all stand for parts of the key. In a result format %s, %u and %d are parts of the value, the others of
the key. A part that is not there suppresses the whole: None.
"""

from __future__ import annotations

from collections.abc import Callable

Quote = Callable[[bytes], bytes]


class BadTemplate(ValueError):
    """A % that is followed by something else."""


class Template:
    """A query or a result format, taken apart once."""

    def __init__(self, text: str) -> None:
        self._parts: list[tuple[bytes, str]] = []  # literal text, then a macro's letter or ""
        literal = ""
        index = 0
        while index < len(text):
            if text[index] != "%":
                literal += text[index]
                index += 1
                continue
            letter = text[index + 1 : index + 2]
            index += 2
            if letter == "%":
                literal += "%"
            elif letter and letter in "sudSUD123456789":
                self._parts.append((literal.encode("utf-8", "surrogateescape"), letter))
                literal = ""
            else:
                raise BadTemplate(f'invalid use of "%{letter}" in "{text}"')
        self._parts.append((literal.encode("utf-8", "surrogateescape"), ""))

    @property
    def letters(self) -> frozenset[str]:
        return frozenset(letter for _, letter in self._parts if letter)

    @property
    def partial(self) -> bool:
        """It wants parts of the key, so the table must see whole keys (PATTERN in LK-2)."""
        return bool(self.letters & set("udUD123456789"))

    def query(self, key: bytes, quote: Quote) -> bytes | None:
        """The query for `key`; None when a part that it wants is not there."""
        return self._expand(key, key, quote)

    def result(self, key: bytes, value: bytes) -> bytes | None:
        """The result for one value; None when a part that it wants is not there."""
        return self._expand(key, value, lambda text: text)

    def _expand(self, key: bytes, value: bytes, quote: Quote) -> bytes | None:
        out: list[bytes] = []
        for literal, letter in self._parts:
            out.append(literal)
            if letter:
                part = _part(letter.lower(), value if letter in "sud" else key)
                if part is None:
                    return None
                out.append(quote(part))
        return b"".join(out)


def _part(letter: str, text: bytes) -> bytes | None:
    if letter == "s":
        return text
    local, at, domain = text.rpartition(b"@")
    if letter == "u":
        return (local or None) if at else text
    if not at or not domain:
        return None
    if letter == "d":
        return domain
    labels = domain.split(b".")
    place = int(letter)
    return labels[-place] if place <= len(labels) else None
