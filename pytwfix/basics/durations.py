"""Lengths of time in main.cf: a number and one unit letter, `s m h d w` (MC-7). Results are seconds."""

from __future__ import annotations

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
LONGEST = 2**31 - 1


def parse_duration(text: str, unit: str = "s") -> int:
    """`text` in seconds; `unit` counts when it names none. ValueError when it is no length of time.

    A unit without a number is 0, as Postfix has it; units are lower case.
    """
    text = text.strip()
    if text[-1:] in SECONDS:
        unit, text = text[-1], text[:-1] or "0"
    number = text[1:] if text[:1] in ("+", "-") else text
    if not (number.isascii() and number.isdigit()):
        raise ValueError(f"bad time: {text}")
    seconds = int(text) * SECONDS[unit]
    if not -LONGEST - 1 <= seconds <= LONGEST:
        raise ValueError(f"bad time: {text}")
    return seconds
