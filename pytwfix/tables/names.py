"""Names of tables and lists of them (LK-1): `type:name`, separated by commas or white space, `{}` protects."""

from __future__ import annotations

_SEPARATORS = ", \t\r\n"


def split_list(text: str, separators: str = _SEPARATORS) -> list[str]:
    """The elements of a list, `{...}` kept whole: `hash:/a, inline:{ k=v, x=y }` is two."""
    if "{" not in text:
        return text.replace(",", " ").split() if separators is _SEPARATORS else _split_plain(text, separators)
    out: list[str] = []
    current: list[str] = []
    depth = 0
    for char in text:
        if depth == 0 and char in separators:
            if current:
                out.append("".join(current))
                current.clear()
            continue
        if char == "{":
            depth += 1
        elif char == "}" and depth:
            depth -= 1
        current.append(char)
    if current:
        out.append("".join(current))
    return out


def _split_plain(text: str, separators: str) -> list[str]:
    for char in separators[1:]:
        text = text.replace(char, separators[0])
    return [part for part in text.split(separators[0]) if part]


def split_name(name: str, default_type: str = "") -> tuple[str, str]:
    """`hash:/etc/x` -> ("hash", "/etc/x"); a name without a type gets `default_type`, else ValueError."""
    kind, colon, rest = name.partition(":")
    if colon and kind and rest:
        return kind, rest
    if default_type and not colon:
        return default_type, name
    raise ValueError(f'open dictionary: expecting "type:name" form instead of "{name}"')


def balanced(text: str) -> tuple[str, str]:
    """Text that starts with `{`: what is inside the matching brace without outer spaces, and an error or ""."""
    depth = 0
    for index, char in enumerate(text):
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                rest = text[index + 1 :].strip()
                problem = f"syntax error after '}}' in \"{text}\"" if rest else ""
                return text[1:index].strip(), problem
    return "", f"missing '}}' in \"{text}\""


def is_table(word: str) -> bool:
    """Whether an element of a match list names a table (`type:name`), not a network, file or domain."""
    kind, colon, rest = word.partition(":")
    return bool(colon and rest) and kind.isalnum() and not kind.isdigit() and not word.startswith(("/", "["))
