"""Commands beside those of a real Postfix: what they say, how they end, what is in the queue then.

PQ-1, PS-20, PS-22, PT-1, PD-1, SE-1 to SE-3, PL-2, PX-2.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.queue import DEFERRED, HOLD, INCOMING
from tests.conformance.commandlines import INPUTS, LINES, MAIL
from tests.kit.realpostfix import RealPostfix
from tests.kit.spool import Spool

OURS = os.path.dirname(sys.executable)
_QUEUES = ("maildrop", "incoming", "active", "deferred", "hold", "corrupt", "defer", "bounce", "trace")
_PIECES = (
    (r"\[\d+\]", "[N]"),
    (r"\d\d:\d\d:\d\d", "TIME"),
    (r"(?m)^postdrop: warning: unable to look up public/pickup: .*\n", ""),  # there is no postdrop in between
    (r"(?m)^\S*(postcat|postlock|qshape): ", r"\1: "),
    # The real sendmail goes through its options twice, and complains each time.
    (r"(?m)^(sendmail: (?:option|invalid) .*\n)\1", r"\1"),
)


class Outcome(NamedTuple):
    code: int
    out: str
    err: str
    queues: dict[str, list[tuple[str, str]]]  # queue -> (name, content for people) of each file


class Commands(SynchronousTestCase):
    def setUp(self) -> None:
        real = RealPostfix(enable_long_queue_ids="yes")
        self.addCleanup(real.remove)
        spool = Spool(real.queue, enable_long_queue_ids="yes")
        self.ids: dict[str, str] = {}
        text = b"Subject: s\r\nFrom: x@y.example\r\nTo: a@x.example\r\n\r\nhello\r\n"
        for queue in (HOLD, DEFERRED, INCOMING):
            queue_id = self.ids[queue] = spool.put(text, b"a@x.example", b"b@x.example", queue=queue).queue_id
            real.give(spool.store.paths.path(queue, queue_id))
        self.model = real.directory
        folder = tempfile.TemporaryDirectory(prefix="commands-")  # names of sockets are short
        os.chmod(folder.name, 0o755)
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.trees = itertools.count()

    def _fresh(self, tree: str) -> None:
        """A copy of the model in `tree`."""
        subprocess.run(["cp", "-a", self.model, tree], check=True)
        with open(f"{tree}/etc/main.cf", encoding="ascii") as file:
            text = file.read().replace(self.model, tree)
        with open(f"{tree}/etc/main.cf", "w", encoding="ascii") as file:
            file.write(text)
        os.utime(f"{tree}/etc/main.cf", (1, 1))

    def ask(self, real: bool, line: str, text: bytes) -> Outcome:
        tree = f"{self.folder}/{next(self.trees)}"
        self._fresh(tree)
        words = shlex.split(line.replace("@/", tree + "/"))
        as_nobody = words[0] == "nobody"
        name, *rest = words[1:] if as_nobody else words
        rest = [re.sub(r"\$(\w+)", lambda found: self.ids[found[1]], word) for word in rest]
        path = f"/usr/sbin/{name}" if real else f"{OURS}/{name}"
        environment = {"PATH": os.environ["PATH"], "MAIL_CONFIG": f"{tree}/etc", "LC_ALL": "C"}
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if as_nobody else {}
        done = subprocess.run(
            [path, *rest], input=text, capture_output=True, timeout=30, env=environment, cwd="/", **user
        )  # type: ignore[call-overload]
        out, err = (self._plain(part.decode("utf-8", "replace"), tree) for part in (done.stdout, done.stderr))
        return Outcome(done.returncode, out, err, self._queues(tree))

    def _plain(self, text: str, tree: str) -> str:
        for old, new in ((tree, "@"), (f"{OURS}/", ""), ("/usr/sbin/", "")):
            text = text.replace(old, new)
        for pattern, new in _PIECES:
            text = re.sub(pattern, new, text)
        if "Queue ID" in text:  # in the order of the directory
            text = "\n\n".join(sorted(text.split("\n\n")))
        return text

    def _queues(self, tree: str) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for queue in _QUEUES:
            for folder, _, names in os.walk(f"{tree}/queue/{queue}"):
                for name in names:
                    known = name if name in self.ids.values() else "another"
                    text = self._content(tree, f"{folder}/{name}") if queue == "maildrop" else ""
                    found.setdefault(queue, []).append((known, text))
        return {queue: sorted(files) for queue, files in found.items()}

    @staticmethod
    def _content(tree: str, path: str) -> str:
        argv = ["/usr/sbin/postcat", "-c", f"{tree}/etc", path]
        text = subprocess.run(argv, capture_output=True, check=False).stdout.decode("utf-8", "replace")
        text = re.sub(r"(?m)^(message_arrival_time|create_time|named_attribute: submit_uid)[:=].*\n", "", text)
        return text.replace(path, "FILE")

    def _difference(self, case: tuple[str, bytes]) -> str:
        line, text = case
        theirs, ours = self.ask(True, line, text), self.ask(False, line, text)
        return "" if theirs == ours else f"{line} {text[:40]!r}\n  theirs {theirs}\n  ours   {ours}"

    def compare(self, cases: list[tuple[str, bytes]]) -> None:
        with ThreadPoolExecutor(8) as pool:  # a Postfix that gives up waits a second first
            differ = list(filter(None, pool.map(self._difference, cases)))
        self.assertEqual([], differ, "\n".join(differ)[:8000])

    def test_lines(self) -> None:
        """PQ-1, PS-20, PT-1, SE-1: each command line ends as a real Postfix's."""
        self.compare([(line, MAIL if line.startswith("sendmail") else b"") for line in LINES])

    def test_inputs(self) -> None:
        """SE-2: each text that sendmail reads comes to the same records."""
        self.compare([(line, text) for text in INPUTS for line in ("sendmail -t", "sendmail -t -i", "sendmail a@x")])
