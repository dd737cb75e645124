"""Dates as mail headers have them (RFC 5322 section 3.3). Times are seconds since the epoch. Pure but for the zone."""

from __future__ import annotations

import time

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def mail_date(when: float) -> str:
    """In local time, with the zone's name: `Tue, 24 Nov 2026 09:30:05 +0000 (UTC)`."""
    local = time.localtime(when)
    minutes = abs(local.tm_gmtoff) // 60
    sign = "-" if local.tm_gmtoff < 0 else "+"
    return (
        f"{_DAYS[local.tm_wday]}, {local.tm_mday:02d} {_MONTHS[local.tm_mon - 1]} {local.tm_year} "
        f"{local.tm_hour:02d}:{local.tm_min:02d}:{local.tm_sec:02d} {sign}{minutes // 60:02d}{minutes % 60:02d} "
        f"({local.tm_zone})"
    )


def compact_date(when: float) -> str:
    """`20261124093005`, in UTC: what message IDs begin with."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(when))
