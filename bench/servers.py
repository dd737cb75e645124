"""What is measured: mail systems that relay everything to a counting sink, each with a sink of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import time

from tests.kit.mailsystem import ROOT, MailSystem, listener, make
from tests.kit.processes import cpu_seconds, memory
from tests.kit.waiting import free_port, listens, wait_for

SOURCE = shutil.which("smtp-source", path="/usr/sbin:/usr/bin:/usr/local/sbin")
SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin")


class Server:
    """A mail system of a mode, under load on `port`."""

    def __init__(self, mode: str, **more: str) -> None:
        self.name = mode
        self.port, self.sink_port = free_port(), free_port()
        main = {
            "relayhost": f"[127.0.0.1]:{self.sink_port}", "mydestination": "", "message_size_limit": "104857600",
            "smtputf8_enable": "yes", **more,
        }  # fmt: skip
        self.system: MailSystem = make(mode, main, [listener(self.port)])
        self._counts = open(f"{self.system.directory}/sink", "wb")  # noqa: SIM115
        assert SINK is not None
        user = ["-u", "nobody"] if ROOT else []
        argv = [SINK, "-4", "-c", *user, f"127.0.0.1:{self.sink_port}", "1024"]
        self._sink = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self._counts, stderr=self._counts)
        wait_for(lambda: listens(self.sink_port), "smtp-sink does not listen")
        self.prepare()
        self.system.start(self.port)

    def prepare(self) -> None:
        """The last touch before the start."""

    def close(self) -> None:
        self._sink.terminate()
        self._sink.wait(10)
        self._counts.close()
        self.system.remove()

    def relayed(self) -> int:
        """How many mails have come to the sink."""
        with open(f"{self.system.directory}/sink", "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 400))
            found = re.findall(rb"mesg=(\d+)[\r\n ]", file.read())
        return int(found[-1]) if found else 0

    def cpu(self) -> float:
        """Seconds of all processes of the system until now."""
        return cpu_seconds(self.system.pid)

    def memory(self) -> tuple[float, float]:
        """(RSS, PSS) in MB."""
        resident, proportional = memory(self.system.pid)
        return resident / 1e6, proportional / 1e6

    def quiet(self, seconds: float = 15) -> None:
        """Until it does next to nothing."""
        end = time.monotonic() + seconds
        before = self.cpu()
        while time.monotonic() < end:
            time.sleep(0.3)
            now = self.cpu()
            if now - before < 0.011:
                return
            before = now
