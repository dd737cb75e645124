"""What a domain says about TLS to its mail servers: MTA-STS records and policies (RFC 8461 sections 3.1, 3.2, 4.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MODES = ("enforce", "testing", "none")
LONGEST = 31557600  # seconds: what max_age may be at most
_RECORD = re.compile(r"v=STSv1[ \t]*;")
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]*:[ \t]*(.*)", re.DOTALL)
_PATTERN = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")


class StsPolicy(NamedTuple):
    """`mx` are names, or `*.` and a domain; `max_age` in seconds; `lines` is the policy as reports quote it."""

    mode: str
    mx: tuple[str, ...]
    max_age: int
    lines: tuple[str, ...] = ()

    def names(self, host: str) -> bool:
        """Whether this server is one of the domain's. `*` stands for one label, the leftmost."""
        host = host.lower().rstrip(".")
        parent = "*." + host.partition(".")[2]
        return any(pattern in (host, parent) for pattern in self.mx)


def record_id(records: Iterable[str]) -> str | None:
    """The id that the TXT records at _mta-sts.<domain> tell; None when the domain has no policy, or says it twice."""
    found = [text for text in records if _RECORD.match(text)]
    if len(found) != 1:
        return None
    for part in found[0].split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name.strip() == "id" and _ID.fullmatch(value.strip()):
            return value.strip()
    return None


def parse_policy(text: str) -> StsPolicy:
    """ValueError: it is none, with what is wrong."""
    given: dict[str, str] = {}
    mx: list[str] = []
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"not a field: {line[:80]}")
        name, value = match.groups()
        if name == "mx":
            mx.append(_pattern(value))
        else:
            given.setdefault(name, value)  # the first one counts, and what we do not know is not for us
    if given.get("version") != "STSv1":
        raise ValueError("it has no version STSv1")
    mode = given.get("mode", "")
    if mode not in MODES:
        raise ValueError(f"unknown mode: {mode[:80]}" if mode else "it has no mode")
    age = given.get("max_age", "")
    if not (age.isascii() and age.isdigit() and len(age) <= 10):
        raise ValueError(f"bad max_age: {age[:80]}" if age else "it has no max_age")
    if not mx and mode != "none":
        raise ValueError("it names no mx")
    return StsPolicy(mode, tuple(mx), min(int(age), LONGEST), lines)


def _pattern(value: str) -> str:
    pattern = value.lower().rstrip(".")
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(f"bad mx: {value[:80]}")
    return pattern
