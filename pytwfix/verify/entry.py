"""What is known about an address, as the cache keeps it: `status:probed:updated:text` (VE-1). Times are Unix seconds.

Caching is optimistic: an address that was good stays good while a new probe fails, until the entry expires.
"""

from __future__ import annotations

from typing import NamedTuple

from pytwfix.contracts.verification import OK, TODO

PROBE_TTL = 1000.0  # seconds that a probe may be under way before another one is sent


class Entry(NamedTuple):
    """`probed` is when the probe under way was sent, 0 for none; `updated` when the status was learned, 0 for never."""

    status: int
    probed: float
    updated: float
    text: str

    def encode(self) -> bytes:
        text = self.text.encode("utf-8", "surrogateescape")
        return b"%d:%d:%d:%b" % (self.status, self.probed, self.updated, text)


class Times(NamedTuple):
    """Seconds until an entry is forgotten, and until it is probed anew."""

    good_expire: float
    good_refresh: float
    bad_expire: float
    bad_refresh: float


NOTHING = Entry(TODO, 0.0, 0.0, "Address verification in progress")


def decode(value: bytes | None) -> Entry:
    """NOTHING for an entry that is missing or makes no sense."""
    parts = (value or b"").split(b":", 3)
    if len(parts) != 4 or not all(part.isdigit() for part in parts[:3]) or parts[0] not in (b"0", b"1", b"2", b"3"):
        return NOTHING
    text = parts[3].decode("utf-8", "surrogateescape")
    return Entry(int(parts[0]), float(parts[1]), float(parts[2]), text)


def current(entry: Entry, times: Times, now: float) -> Entry:
    """The entry, or NOTHING when it is too old."""
    if entry.status == TODO:
        return entry if now - entry.probed < times.bad_expire else NOTHING
    limit = times.good_expire if entry.status == OK else times.bad_expire
    return entry if now - entry.updated < limit else NOTHING


def due(entry: Entry, times: Times, now: float) -> bool:
    """Whether it is time for a probe, and none is under way."""
    if entry.probed and now - entry.probed < PROBE_TTL:
        return False
    if entry.status == TODO:
        return True
    return now - entry.updated >= (times.good_refresh if entry.status == OK else times.bad_refresh)
