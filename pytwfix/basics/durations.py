"""Lengths of time in main.cf: a number and one unit letter, `s m h d w` (MC-7). Results are seconds."""

from __future__ import annotations

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(text: str, unit: str = "s") -> int:
    """`text` in seconds; `unit` counts when it names none. ValueError when it is no length of time."""
    text = text.strip()
    if text and text[-1].lower() in SECONDS:
        unit, text = text[-1].lower(), text[:-1]
    number = text.lstrip("+-")
    if not (number.isascii() and number.isdigit()) or len(text) - len(number) > 1:
        raise ValueError(f"bad time: {text}")
    return int(text) * SECONDS[unit]
