"""Listings as mailq prints them (INVENTORY PQ-2). Pure and light."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

_SHORT = "%-11s %7s %-20s %s"
_LONG = "%-17s %8s %-19s %s"
_SHORT_HEAD = _SHORT % ("-Queue ID-", "--Size--", "----Arrival Time----", "-Sender/Recipient-------")
_LONG_HEAD = _LONG % ("----Queue ID-----", "--Size--", "---Arrival Time----", "--Sender/Recipient------")
_MARKS = {"active": "*", "hold": "!"}


def lines(messages: Iterable[dict[str, Any]], long_ids: bool) -> Iterator[str]:
    """The listing of messages as showq/listing.py gives them, line by line."""
    form = _LONG if long_ids else _SHORT
    count = size = 0
    for message in messages:
        if not count:
            yield head(long_ids)
        count += 1
        size += message["message_size"]
        yield from _message(message, form)
        yield ""
    yield total(count, size)


def head(long_ids: bool) -> str:
    """The first line, when there is a message."""
    return _LONG_HEAD if long_ids else _SHORT_HEAD


def total(count: int, size: int) -> str:
    """The last line: messages and their octets."""
    if not count:
        return "Mail queue is empty"
    return f"-- {size // 1024} Kbytes in {count} Request{'' if count == 1 else 's'}."


def text(messages: Iterable[dict[str, Any]], long_ids: bool) -> bytes:
    """These messages, without first and last line."""
    form = _LONG if long_ids else _SHORT
    out: list[str] = []
    for message in messages:
        out.extend(_message(message, form))
        out.append("")
    return "\n".join([*out, ""]).encode("utf-8", "surrogateescape") if out else b""


@lru_cache(64)
def _date(arrival: int) -> str:
    return time.strftime("%a %b %e %H:%M:%S", time.localtime(arrival))


def _message(message: dict[str, Any], form: str) -> Iterator[str]:
    mark = _MARKS.get(message["queue_name"], "") + ("#" if message["forced_expire"] else "")
    arrival = _date(message["arrival_time"])
    yield form % (message["queue_id"] + mark, message["message_size"], arrival, message["sender"])
    last = ""
    for recipient in message["recipients"]:
        if "bounce_reason" in recipient:
            continue  # already given up
        reason = recipient.get("delay_reason", "")
        if reason != last:
            yield f"{'(' + (reason or 'reason unavailable') + ')':>78}"
            last = reason
        yield form % ("", "", "", recipient["address"])
