"""Processes by /proc: who descends from whom, what they cost, and how all of them are ended at once."""

from __future__ import annotations

import os
import signal
import time
from typing import NamedTuple

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Process(NamedTuple):
    """One process: seconds of CPU are its own, `reaped` those of children that it has waited for."""

    pid: int
    parent: int
    group: int
    state: str
    name: str
    cpu: float
    reaped: float
    resident: int


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def process(pid: int) -> Process | None:
    """None when there is none (any more)."""
    text = _read(f"/proc/{pid}/stat")
    if not text:
        return None
    end = text.rindex(b")")
    name = text[text.index(b"(") + 1 : end].decode("utf-8", "replace")
    words = text[end + 2 :].split()
    times = [int(word) / _TICK for word in words[11:15]]
    cpu, reaped = times[0] + times[1], times[2] + times[3]
    return Process(
        pid, int(words[1]), int(words[2]), words[0].decode(), name, cpu, reaped, int(words[21]) * _PAGE
    )


def everyone() -> dict[int, Process]:
    found = (process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {one.pid: one for one in found if one}


def family(root: int) -> dict[int, Process]:
    """`root`, its process group, and all that descends from them."""
    every = everyone()
    wanted = {pid for pid, one in every.items() if pid == root or one.group == root}
    grown = True
    while grown:
        more = {pid for pid, one in every.items() if one.parent in wanted} - wanted
        wanted |= more
        grown = bool(more)
    return {pid: every[pid] for pid in wanted}


def cpu_seconds(root: int) -> float:
    """Of a whole family, those that have ended included."""
    return sum(one.cpu + one.reaped for one in family(root).values())


def memory(root: int) -> tuple[int, int]:
    """(resident, proportional) bytes of a whole family."""
    members = family(root)
    return sum(one.resident for one in members.values()), sum(_proportional(pid) for pid in members)


def _proportional(pid: int) -> int:
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def end_family(root: int, number: int = signal.SIGKILL) -> list[int]:
    """Send a signal to a whole family; the pids that it was sent to."""
    told = []
    for pid in family(root):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
        told.append(pid)
    return told


def wait_gone(pids: list[int], seconds: float = 10.0) -> bool:
    """Whether all of them are gone, or only wait to be reaped."""
    end = time.monotonic() + seconds
    while True:
        left = [one for one in map(process, pids) if one and one.state != "Z"]
        if not left:
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
