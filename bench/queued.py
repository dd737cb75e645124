"""A large queue, beside a real Postfix: `python bench/queued.py [--messages 50000] [--modes "postfix workers1"]`.

Postfix makes the deferred messages (so that both find the same files), then each server gets a copy in turn. Measured:
seconds from the start until the port is open, `postqueue -p` and `-j` and `postsuper -s` with so many deferred, memory
before and with the active queue full of messages that wait for a destination that does not answer, and how fast the
queue drains to a sink.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from bench.servers import SINK, SOURCE, Server
from tests.kit.mailsystem import MODES, POSTFIX, RealPostfix
from tests.kit.waiting import wait_for

STOPPED = {
    "defer_transports": "smtp relay", "minimal_backoff_time": "4000s", "queue_run_delay": "4000s",
    "enable_long_queue_ids": "yes",  # a copied file keeps its name
}  # fmt: skip
RUNNING = {"defer_transports": ""}
COMMANDS = (("postqueue", "-p"), ("postqueue", "-j"), ("postsuper", "-s"))


def fill(messages: int, directory: str) -> None:
    """So many deferred messages of 1 KiB, made by a real Postfix, in `directory`."""
    server = Server(POSTFIX, **STOPPED)
    try:
        assert SOURCE is not None
        argv = [SOURCE, "-4", "-d", "-s", "20", "-l", "1024", "-m", str(messages), "-f", "s@bench.invalid"]
        subprocess.run([*argv, "-t", "user@relay.invalid", f"127.0.0.1:{server.port}"], check=True)
        system = server.system
        wait_for(lambda: waiting(server) >= messages and not queued(server, "incoming", "active"), system.told, 500)
        system.stop()
        subprocess.run(["cp", "-a", system.queue, directory], check=True)
    finally:
        server.close()


def queued(server: Server, *queues: str) -> int:
    return sum(len(names) for one in queues for _, _, names in os.walk(f"{server.system.queue}/{one}"))


def waiting(server: Server) -> int:
    return queued(server, "deferred")


def measure(mode: str, messages: int, source: str) -> dict[str, float]:
    """All figures of one server."""
    figures: dict[str, float] = {}
    server = Server(mode, **STOPPED)
    try:
        system = server.system
        base = server.memory()[1]
        system.stop()
        for name in ("deferred", "defer"):
            shutil.rmtree(f"{system.queue}/{name}", ignore_errors=True)
            subprocess.run(["cp", "-a", f"{source}/{name}", f"{system.queue}/{name}"], check=True)
        os.sync()
        begun = time.perf_counter()
        system.start(server.port)
        figures["start s"] = time.perf_counter() - begun
        for words in COMMANDS:
            begun = time.perf_counter()
            answer = system.command(*words, seconds=300)
            figures[f"{' '.join(words)} s"] = time.perf_counter() - begun
            if words[0] == "postqueue" and answer.out.count("relay.invalid") < messages:
                raise SystemExit(f"{mode}: {words} lists {answer.out.count('relay.invalid')} of {messages}")
        server.quiet()
        figures["PSS MB, deferred"] = server.memory()[1] - base
        system.write_main(**RUNNING, smtp_destination_rate_delay="4000s")
        system.reload()
        system.ask("postqueue", "-f")
        limit = min(messages, 20000)
        wait_for(lambda: queued(server, "active") >= limit - 5, system.told, 120)  # the first are delivered
        server.quiet()
        figures["bytes a message, active"] = (server.memory()[1] - base) * 1e6 / limit
        system.stop()
        system.write_main(smtp_destination_rate_delay="0s")
        figures["drain a second"], figures["CPU ms a mail, drain"] = drain(server)
    finally:
        server.close()
    return figures


def drain(server: Server) -> tuple[float, float]:
    """Mails a second until all that is queued has arrived, and CPU milliseconds for each."""
    system = server.system
    messages = queued(server, "incoming", "active", "deferred")
    system.start(server.port)
    before = server.relayed()
    system.ask("postqueue", "-f")
    begun, cpu = time.perf_counter(), server.cpu()
    wait_for(lambda: server.relayed() - before >= messages, system.told, 400)
    seconds = time.perf_counter() - begun
    wait_for(system.empty, system.told, 60)
    return messages / seconds, (server.cpu() - cpu) / messages * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--modes", default=f"{POSTFIX} workers1", help=f"of {POSTFIX} {' '.join(MODES)}")
    parser.add_argument("--messages", type=int, default=50000)
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    if not SOURCE or not SINK or RealPostfix.missing():
        print("a real Postfix, which fills the queue, is not installed: make peers")
        return 0
    with tempfile.TemporaryDirectory(prefix="pytwfix-queue-") as directory:
        fill(options.messages, f"{directory}/queue")
        for number in range(options.repeat):
            modes = options.modes.split()
            for mode in modes if number % 2 == 0 else modes[::-1]:
                for name, figure in measure(mode, options.messages, f"{directory}/queue").items():
                    print(f"{mode:10} {name:26} {figure:12.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
