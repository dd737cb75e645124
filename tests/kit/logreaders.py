"""Programs that read a mail log, run on one: pflogsumm, fail2ban's own filters, mailgraph (LG-1 to LG-16)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile

from twisted.trial.unittest import SkipTest


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not found:
        raise SkipTest(f"{name} is not installed")
    return found


def _run(*argv: str) -> str:
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, env=environment)
    if done.returncode:
        raise AssertionError(f"{argv[0]}: {done.stderr}")
    return done.stdout


def pflogsumm(path: str) -> tuple[dict[str, int], str]:
    """(its grand totals by name, the whole report)."""
    report = _run(_program("pflogsumm"), "--verbose_msg_detail", path)
    totals = re.findall(r"(?m)^ *(\d+)(k|m|)  +([a-z][a-z /]*?)(?: +\(.*\))?$", report.partition("\nPer-")[0])
    return {name: int(number) * {"": 1, "k": 1024, "m": 1024**2}[unit] for number, unit, name in totals}, report


def fail2ban(path: str, mode: str, filter: str = "postfix") -> list[str]:
    """The addresses that a mode of a filter finds, each as often as it does, sorted."""
    argv = (_program("fail2ban-regex"), "-o", "ip", path, f"{filter}[mode={mode},logtype=file]")
    return sorted(line for line in _run(*argv).splitlines() if line)


def mailgraph(path: str) -> dict[str, int]:
    """Events by name. It only fills databases, so that a copy of it is run that says what it counts."""
    with open(_program("mailgraph"), encoding="utf-8") as file:
        source = file.read()
    said = re.sub(r"(?m)^(sub event\(\$\$\)\s*\n?\{)", r'\1 print "EVENT $_[1]\\n";', source)
    if said == source:
        raise SkipTest("this mailgraph is not understood")
    with tempfile.TemporaryDirectory(prefix="pytwfix-mailgraph-") as folder:
        program = f"{folder}/mailgraph.pl"
        with open(program, "w", encoding="utf-8") as file:
            file.write(said)
        out = _run("perl", program, "--logfile", path, "--cat", f"--daemon-rrd={folder}")
    counts: dict[str, int] = {}
    for name in re.findall(r"(?m)^EVENT (\w+)$", out):
        counts[name] = counts.get(name, 0) + 1
    return counts
