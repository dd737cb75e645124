"""Text that people write: logical lines, and `key value` lines of postmap's input (PM-3).

Units: bytes. A logical line starts with a character that is no white space; following lines that start with white space
continue it; empty lines and lines whose first non-space character is `#` are skipped, inside a logical line too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

_SPACE = b" \t\r\n\v\f"


def logical_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(number of the first line, text) of each logical line; line ends are removed, white space kept otherwise."""
    first = 0
    parts: list[bytes] = []
    for number, line in enumerate(BytesIO(data), 1):  # one line after the other: there may be a million
        line = line.removesuffix(b"\n")
        stripped = line.strip(_SPACE)
        if not stripped or stripped.startswith(b"#"):
            continue
        if line[0] in _SPACE:
            if parts:
                parts.append(line)
                continue
            parts, first = [line], number
            continue
        if parts:
            yield first, b"".join(parts)
        parts, first = [line], number
    if parts:
        yield first, b"".join(parts)


def key_and_value(line: bytes) -> tuple[bytes, bytes]:
    """A logical line's key (perhaps in double quotes) and value, both without surrounding white space."""
    line = line.strip(_SPACE)
    if line.startswith(b'"') or b"\\" in line:
        return _quoted_key(line)
    key, *value = line.split(None, 1)
    return key, value[0] if value else b""


def _quoted_key(line: bytes) -> tuple[bytes, bytes]:
    """`"key with \\" in it" value`, or `"local part"@domain value`: quotes protect white space, and stay in the key.

    A backslash protects the next character, inside quotes or not.
    """
    quoted = False
    index = 0
    while index < len(line):
        octet = line[index : index + 1]
        if octet == b"\\":
            index += 1
        elif octet == b'"':
            quoted = not quoted
        elif not quoted and octet in _SPACE:
            break
        index += 1
    return line[:index], line[index:].strip(_SPACE)


IGNORED = " -- ignoring this line"


def entries(
    data: bytes, path: str, warn: Callable[[str], None], utf8: bool = True, ignored: str = ""
) -> Iterator[tuple[int, bytes, bytes]]:
    """(line number, key, value) of a table's source; what is wrong with a line is said by `warn`, with `ignored`."""
    for number, line in logical_lines(data):
        place = f"{path}, line {number}"
        if utf8 and not is_utf8(line):
            warn(f'{place}: non-UTF-8 input "{shown(line)}" -- ignoring this line')
            continue
        if line[0] in _SPACE:
            warn(f'{path}: logical line must not start with whitespace: "{beginning(line)}"')
            continue
        if unbalanced(line):
            warn(f"{place}: unbalanced '\"' in '{shown(line)}' -- ignoring this line")
            continue
        key, value = key_and_value(line)
        if not key or not value:
            warn(f"{place}: expected format: key whitespace value{ignored}")
            continue
        if key.endswith(b":"):
            warn(f'{place}: record is in "key: value" format; is this an alias file?')
        yield number, key, value


def unbalanced(line: bytes) -> bool:
    """Whether a line that starts with a quote has no closing one in its key."""
    return line.startswith(b'"') and _closing_quote(line) < 0


def _closing_quote(line: bytes) -> int:
    index = 1
    while index < len(line):
        if line[index : index + 1] == b"\\":
            index += 1
        elif line[index : index + 1] == b'"':
            return index
        index += 1
    return -1


def shown(text: bytes) -> str:
    """Text for a warning: what is not UTF-8 as question marks."""
    return text.decode("utf-8", "replace").replace("\ufffd", "?")


def beginning(line: bytes) -> str:
    """A line for a warning: no more than its first 30 bytes."""
    return shown(line) if len(line) <= 30 else shown(line[:30]) + "..."


def is_utf8(line: bytes) -> bool:
    """Whether the bytes are valid UTF-8."""
    if line.isascii():
        return True
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def folder(fold: bool, utf8: bool) -> Callable[[bytes], bytes]:
    """The function that folds a key as lookups do."""

    def folded(key: bytes) -> bytes:
        if key.isascii() or not utf8:
            return key.lower()
        try:
            return key.decode().casefold().encode()
        except UnicodeDecodeError:
            return key.lower()

    return folded if fold else lambda key: key
