"""The sender of address probes, which may change with time so that spammers cannot learn it (VE-1). Pure."""

from __future__ import annotations

_DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZ"  # no vowels: nothing that could be read as a word


def probe_sender(sender: str, ttl: int, now: float, back: int = 0) -> str:
    """address_verify_sender as it is at a time; `back` counts its earlier values. The null sender is ""."""
    if sender in ("", "<>"):
        return ""
    if ttl <= 0:
        return sender
    local, at, domain = sender.partition("@")
    return local + _number(int(now) // ttl - back) + at + domain


def is_probe_sender(address: str, sender: str, ttl: int, now: float) -> bool:
    """Whether a probe of now or of a while ago may have had this sender. Both with their domains, or without."""
    wanted = address.lower()
    if not wanted:
        return False
    steps = range(-1, 2) if ttl > 0 else (0,)
    return any(wanted == probe_sender(sender, ttl, now, back).lower() for back in steps)


def _number(value: int) -> str:
    digits = ""
    while value > 0:
        value, digit = divmod(value, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits or "0"
