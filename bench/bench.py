"""pytwfix beside a real Postfix, on this machine, in one run: `make bench`.

    python bench/bench.py [--modes "postfix workers1"] [--repeat 5] [--scale 1.0]

Needs smtp-source and smtp-sink, which come with Postfix. Each repetition runs each load on every server, in alternating
order, so that what else the machine does hits all of them alike. Shown are medians, the range, and ratios to the first
server of the list: mails accepted a second, mails that have arrived at the sink a second, CPU milliseconds a mail of
all the server's processes, memory at 100 idle sessions, and how long commands take.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from bench.servers import SINK, SOURCE, Server
from tests.kit.mailsystem import MODES, POSTFIX, RealPostfix


class Load(NamedTuple):
    """What smtp-source does."""

    name: str
    size: int
    mails: int
    reuse: bool
    sessions: int = 20


LOADS = (
    Load("1 KiB", 1024, 4000, False),
    Load("1 KiB, connections used again", 1024, 4000, True),
    Load("100 KiB", 102400, 1000, False),
)
RATES = ("mails accepted a second", "mails arrived a second", "CPU ms a mail")
IDLE = 100
SETTLE = 3.0  # seconds between two runs
COMMANDS = (("postconf", "myhostname"), ("postqueue", "-j"), ("sendmail", "-i", "user@relay.invalid"))


class Figures(NamedTuple):
    """One run: mails a second and CPU milliseconds a mail."""

    accepted: float
    arrived: float
    cpu: float


def run(load: Load, mails: int, server: Server) -> Figures:
    """Send, and wait until all has arrived. What the server before has left to the disk is written first, and mails
    that are not counted bring back what the machine has taken out of memory while this server had nothing to do."""
    server.quiet()
    os.sync()
    time.sleep(SETTLE)
    _send(load, mails // 4, server)
    server.quiet()
    before, cpu = server.relayed(), server.cpu()
    start = time.perf_counter()
    _send(load, mails, server)
    accepted = time.perf_counter() - start
    while server.relayed() - before < mails:
        if time.perf_counter() - start > 180:
            raise SystemExit(f"{server.name}: {server.relayed() - before} of {mails} mails arrived in three minutes")
        time.sleep(0.01)
    arrived = time.perf_counter() - start
    server.quiet()
    return Figures(mails / accepted, mails / arrived, (server.cpu() - cpu) / mails * 1000)


def _send(load: Load, mails: int, server: Server) -> None:
    assert SOURCE is not None
    argv = [SOURCE, "-4", "-s", str(load.sessions), "-l", str(load.size), "-m", str(mails), *(["-d"] * load.reuse)]
    subprocess.run([*argv, "-f", "s@bench.invalid", "-t", "user@relay.invalid", f"127.0.0.1:{server.port}"], check=True)


def idle(server: Server) -> tuple[float, float]:
    """(RSS, PSS) in MB with sessions that have said EHLO and wait."""
    sessions = [socket.create_connection(("127.0.0.1", server.port), 30) for _ in range(IDLE)]
    for session in sessions:
        session.settimeout(30)
        session.recv(500)
        session.sendall(b"EHLO bench.invalid\r\n")
    for session in sessions:
        session.recv(2000)
    time.sleep(1)
    found = server.memory()
    for session in sessions:
        session.close()
    return found


def command_ms(words: tuple[str, ...], server: Server) -> tuple[float]:
    start = time.perf_counter()
    server.system.ask(words[0], *words[1:], text="Subject: s\n\nx\n")
    return ((time.perf_counter() - start) * 1000,)


Values = dict[str, list[float]]


def interleaved(servers: list[Server], repeat: int, measure: Callable[[Server], tuple[float, ...]]) -> list[Values]:
    """For each figure that `measure` gives: server to its values."""
    found: list[Values] = []
    for number in range(repeat):
        for server in servers if number % 2 == 0 else servers[::-1]:
            figures = measure(server)
            found = found or [{one.name: [] for one in servers} for _ in figures]
            for values, figure in zip(found, figures, strict=True):
                values[server.name].append(figure)
    return found


def show(title: str, values: Values) -> None:
    """A line a server: median, range, and the median of the ratios of each repetition to the first server."""
    first = next(iter(values.values()))
    print(title)
    for name, each in values.items():
        ratio = statistics.median(mine / theirs for mine, theirs in zip(each, first, strict=True) if theirs)
        middle = statistics.median(each)
        print(f"    {name:10} {middle:10.2f}   ({min(each):.2f} .. {max(each):.2f})   x {ratio:.2f}", flush=True)


def measure(servers: list[Server], repeat: int, scale: float) -> None:
    for server in servers:
        run(LOADS[1], 300, server)  # so that nothing is done for the first time
    for load in LOADS:
        mails = max(20, int(load.mails * scale))
        report(f"{load.name}, {load.sessions} sessions", RATES, interleaved(servers, repeat, partial(run, load, mails)))
    report(f"{IDLE} idle sessions", ("RSS MB", "PSS MB"), interleaved(servers, 1, idle))
    for words in COMMANDS:
        report(words[0], ("ms",), interleaved(servers, 11, partial(command_ms, words)))


def report(title: str, names: tuple[str, ...], figures: list[Values]) -> None:
    for name, values in zip(names, figures, strict=True):
        show(f"{title}: {name}", values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--modes", default=f"{POSTFIX} workers1", help=f"of {POSTFIX} {' '.join(MODES)}")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="how many mails, of the usual number")
    options = parser.parse_args()
    if not SOURCE or not SINK:
        print("smtp-source and smtp-sink are not installed: make peers")
        return 0
    modes = [mode for mode in options.modes.split() if mode != POSTFIX or not RealPostfix.missing()]
    servers: list[Server] = []
    try:
        for mode in modes:
            servers.append(Server(mode))
        measure(servers, options.repeat, options.scale)
    finally:
        for server in servers:
            server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
