"""Which tables a list such as proxy_read_maps allows: those that stand in it as `proxy:type:name` (PX-1)."""

from __future__ import annotations

from pytwfix.tables.names import balanced, split_list

_PREFIX = "proxy:"
PARAMETERS = ("proxy_read_maps", "proxy_write_maps")  # of tables that are read, that are written


def refusal(table: str, writable: bool) -> tuple[str, str]:
    """What the log says when a table is not in the list."""
    access = "read-write" if writable else "read-only"
    return (
        f'request for unapproved table: "{table}"',
        f"to approve this table for {access} access, list {_PREFIX}{table} in main.cf:{PARAMETERS[writable]}",
    )


def approved(text: str) -> frozenset[str]:
    """Names without `proxy:`, also from inside of `unionmap:{...}` and of restrictions in braces."""
    return frozenset(_names(text))


def _names(text: str) -> set[str]:
    found: set[str] = set()
    for word in split_list(text):
        if word.startswith(_PREFIX):
            found.add(word.removeprefix(_PREFIX))
        brace = word.find("{")
        if brace >= 0:
            found |= _names(balanced(word[brace:])[0])
    return found
