"""A large queue handed over between a real Postfix and us, both ways: `python -m tests.integration.exchange`.

One system takes the mails in and defers them all; the other one, started on the same queue, must list the same (queue
IDs, times, sizes, senders, recipients and why they wait), with files that have the same owners, modes and places, and
then deliver each recipient once. Needs root, a real Postfix and smtp-source.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import time

from tests.integration.test_exchange import Moving
from tests.kit.mailsystem import MODES, MailSystem, RealPostfix
from tests.kit.waiting import wait_for

Listing = dict[str, tuple[object, ...]]
Places = dict[str, tuple[str, int, int, int]]


class Waiting(Moving):
    """Nothing is delivered until it is said."""

    def main(self) -> dict[str, str]:
        return {
            **super().main(), "defer_transports": "smtp relay", "default_process_limit": "100",
            "minimal_backoff_time": "4000s", "queue_run_delay": "4000s", "transport_maps": "",
        }  # fmt: skip


class Exchange:
    """One way: `names` are of the system that takes the mail in, and of the one that delivers it."""

    def __init__(self, mode: str, messages: int, back: bool) -> None:
        self.world = Waiting(mode)
        assert self.world.real_one is not None
        self.world.ours.stop()
        pair = (self.world.real_one, self.world.ours)
        self.first, self.second = reversed(pair) if back else pair
        self.messages = messages
        self.wrong: list[str] = []

    def run(self) -> str:
        """The figures, in words; what was wrong is in `wrong`."""
        listed, places, filled = self._fill()
        start = time.monotonic()
        self.second.start(self.world.port)
        started = time.monotonic() - start
        start = time.monotonic()
        other = listing(self.second)
        listing_time = time.monotonic() - start
        self._compare("listed", listed, other)
        self._compare("file", places, files(self.second))
        drained = self._drain()
        times = f"filled in {filled:.0f} s, started in {started:.2f}, listed in {listing_time:.2f}"
        return f"{times}, drained in {drained:.0f} s"

    def _fill(self) -> tuple[Listing, Places, float]:
        system, start = self.first, time.monotonic()
        system.start(self.world.port)
        source = shutil.which("smtp-source") or "/usr/sbin/smtp-source"
        argv = [source, "-4", "-N", "-s", "20", "-r", "2", "-l", "700", "-m", str(self.messages)]
        argv += ["-f", "s@there.example", "-t", "user@far.example", f"127.0.0.1:{self.world.port}"]
        subprocess.run(argv, check=True)
        wait_for(lambda: count(system, "deferred") >= self.messages and not count(system, "active"), system.told, 900)
        filled = time.monotonic() - start
        listed = listing(system)
        system.stop()
        if len(listed) != self.messages:
            self.wrong.append(f"{len(listed)} messages listed, not {self.messages}")
        return listed, files(system), filled

    def _compare(self, what: str, before: dict[str, object] | Listing | Places, after: object) -> None:
        assert isinstance(after, dict)
        if not before:
            self.wrong.append(f"{what}: nothing to compare")
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                self.wrong.append(f"{what} {key}: {before.get(key)} became {after.get(key)}")

    def _drain(self) -> float:
        """All recipients arrive, once."""
        system, start = self.second, time.monotonic()
        relayhost = f"[127.0.0.1]:{self.world.sink.port}"
        self.world.ours.write_main(relayhost=relayhost, defer_transports="")
        system.reload()
        system.ask("postqueue", "-f")
        wait_for(system.empty, system.told, 900)
        seconds = time.monotonic() - start
        system.stop()
        arrived = collections.Counter(to for one in self.world.sink.messages for to in one.recipients)
        self.wrong += [f"{to}: {times} times" for to, times in arrived.items() if times != 1]
        if len(arrived) != 2 * self.messages:
            self.wrong.append(f"{len(arrived)} recipients of {2 * self.messages}")
        for queue in ("defer", "bounce", "corrupt", "deferred", "incoming", "active"):
            left = count(system, queue)
            if left:
                self.wrong.append(f"{left} files left in {queue}")
        return seconds

    def close(self) -> None:
        self.world.close()


def count(system: MailSystem, queue: str) -> int:
    return sum(len(names) for _, _, names in os.walk(f"{system.queue}/{queue}"))


def listing(system: MailSystem) -> Listing:
    """What postqueue -j says, by queue ID."""
    found: Listing = {}
    for line in system.command("postqueue", "-j", seconds=120).out.splitlines():
        one = json.loads(line)
        recipients = sorted((to["address"], to.get("delay_reason", "")) for to in one["recipients"])
        numbers = one["arrival_time"], one["message_size"]
        found[one["queue_id"]] = (one["queue_name"], *numbers, one["sender"], recipients)
    return found


def files(system: MailSystem) -> Places:
    """Folder, owner, group and mode of each file of the queue and of the defer log."""
    found: Places = {}
    for queue in ("deferred", "defer"):
        for folder, _, names in os.walk(f"{system.queue}/{queue}"):
            for name in names:
                status = os.stat(f"{folder}/{name}")
                place = os.path.relpath(folder, system.queue)
                found[f"{queue}/{name}"] = (place, status.st_uid, status.st_gid, status.st_mode)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--messages", type=int, default=50000)
    parser.add_argument("--mode", choices=MODES, default="workers1")
    given = parser.parse_args()
    if RealPostfix.missing():
        print(RealPostfix.missing(), file=sys.stderr)
        return 2
    bad = 0
    for back in (False, True):
        exchange = Exchange(given.mode, given.messages, back)
        try:
            way = "ours to Postfix" if back else "Postfix to ours"
            print(f"{way}: {given.messages} messages, {exchange.run()}; {len(exchange.wrong)} wrong", flush=True)
            for text in exchange.wrong[:10]:
                print(f"  {text}")
            bad += len(exchange.wrong)
        finally:
            exchange.close()
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
