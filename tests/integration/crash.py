"""Kill everything at a random moment, start again, and see whether a mail that was answered 250 is lost.

    python -m tests.integration.crash --rounds 200 [--mode inline|workers1|workers2|postfix] [--seed N]

Senders and the sink, which now and then says "not now", are processes of their own and live on. Mail goes to the sink
and to a Maildir; at the end the system is left alone until all has arrived. Lost mail, or mail that is not what was
sent, is a failure. Mail that arrives twice is not: a relayed mail whose end was not written down yet is relayed again.
It is counted.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import pwd
import random
import subprocess
import sys
import threading
import time

from tests.kit.mailsystem import MODES, POSTFIX, ROOT, MailSystem, content, listener, make
from tests.kit.senders import digest
from tests.kit.sinks import TOKEN
from tests.kit.waiting import NotInTime, free_port, wait_for

_BOX_ADDRESS = "box@box.example"
_BOX = pwd.getpwnam("mail") if ROOT else pwd.getpwuid(os.geteuid())


class Reader:
    """The lines of a process: how often each `token digest recipient` came."""

    def __init__(self, *argv: str) -> None:
        self._seen: collections.Counter[str] = collections.Counter()
        self._lock = threading.Lock()
        command = [sys.executable, "-m", *argv]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._lock:
                self._seen[line.rstrip("\n")] += 1

    @property
    def seen(self) -> collections.Counter[str]:
        """As of now: more may come while one looks at it."""
        with self._lock:
            return self._seen.copy()

    def end(self) -> None:
        """Close its standard input, which ends it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)
        self._thread.join(10)


class Outcome:
    """What came of a run."""

    def __init__(self, sent: set[str], arrived: collections.Counter[str]) -> None:
        self.sent = sent
        self.lost = sent - set(arrived)
        self.twice = sum(1 for one in sent if arrived[one] > 1)
        tokens = {one.split()[0] for one in sent}
        self.damaged = {one for one in arrived if one not in sent and one.split()[0] in tokens}

    @property
    def good(self) -> bool:
        return not self.lost and not self.damaged

    def __str__(self) -> str:
        return (
            f"{len(self.sent)} recipients answered 250, {len(self.lost)} lost, {len(self.damaged)} damaged, "
            f"{self.twice} twice ({100 * self.twice / max(1, len(self.sent)):.1f} %)"
        )


class Crash:
    """A system under load that is killed `rounds` times."""

    def __init__(self, mode: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.port, self.sink_port = free_port(), free_port()
        self.system = self._system(mode)
        self.sink = Reader("tests.kit.sinks", str(self.sink_port), "0.05")
        to = ["user@far.example", _BOX_ADDRESS]
        sendmail = [self.system.program("sendmail"), "-C", self.system.config]
        self.senders = Reader("tests.kit.senders", str(self.port), "6", ",".join(to), *sendmail)

    def _system(self, mode: str) -> MailSystem:
        main = {
            "relayhost": f"[127.0.0.1]:{self.sink_port}", "queue_run_delay": "1s", "minimal_backoff_time": "1s",
            "maximal_backoff_time": "2s", "virtual_mailbox_domains": "box.example",
            "virtual_mailbox_base": "@DIR@/vmail", "virtual_mailbox_maps": f"inline:{{{_BOX_ADDRESS}=box/}}",
            "virtual_uid_maps": f"static:{_BOX.pw_uid}", "virtual_gid_maps": f"static:{_BOX.pw_gid}",
            "virtual_minimum_uid": "1",
        }  # fmt: skip
        system = make(mode, main, [listener(self.port)])
        os.mkdir(f"{system.directory}/vmail")
        os.chown(f"{system.directory}/vmail", _BOX.pw_uid, _BOX.pw_gid)
        return system

    def run(self, rounds: int, say: bool = False) -> Outcome:
        """All of it; the system's directory is kept when something is wrong."""
        try:
            for number in range(rounds):
                self._round(number, say)
            self.system.start(self.port)
            self.senders.end()
            outcome = self._drained()
        finally:
            self.senders.process.kill()
            self.system.stop()
            self.sink.end()
        if outcome.good:
            self.system.remove()
        return outcome

    def _round(self, number: int, say: bool) -> None:
        self.system.start(self.port)
        before = len(self.senders.seen)
        seconds = self.random.random() * 2.5
        time.sleep(seconds)
        self.system.kill()
        if say:
            print(f"round {number + 1}: {len(self.senders.seen) - before} mails in {seconds:.2f} s", flush=True)

    def _drained(self) -> Outcome:
        with contextlib.suppress(NotInTime):
            wait_for(lambda: self.outcome().good, seconds=90)
        time.sleep(1)  # for what comes twice
        return self.outcome()

    def outcome(self) -> Outcome:
        return Outcome(set(self.senders.seen), self.sink.seen + self._box())

    def _box(self) -> collections.Counter[str]:
        """What is in the Maildir."""
        found: collections.Counter[str] = collections.Counter()
        folder = f"{self.system.directory}/vmail/box/new"
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            raw = content(f"{folder}/{name}").encode("utf-8", "surrogateescape")
            token = raw.partition(TOKEN)[2].split(b"\n", 1)[0].decode()
            found[f"{token} {digest(raw)} {_BOX_ADDRESS}"] += 1
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--mode", choices=[*MODES, POSTFIX], default=MODES[0])
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"{options.mode}: {options.rounds} rounds, seed {options.seed}", flush=True)
    crash = Crash(options.mode, options.seed)
    outcome = crash.run(options.rounds, say=True)
    print(outcome)
    for one in sorted(outcome.lost | outcome.damaged):
        print(one)
    if not outcome.good:
        print(f"see {crash.system.directory}")
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
