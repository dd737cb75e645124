"""Signed zones of our own: knot signs and serves them, unbound validates, some processes see it as their resolver."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import partial
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.kit.waiting import free_port, wait_for

_PROGRAMS = ("knotd", "keymgr", "unbound", "unshare", "kdig")
_KNOT = """\
server:
    listen: 127.0.0.1@{port}
    rundir: {folder}
    user: root:root
database:
    storage: {folder}/db
log:
  - target: {folder}/knot.log
    any: info
policy:
  - id: ours
    algorithm: ecdsap256sha256
template:
  - id: default
    storage: {folder}
    dnssec-policy: ours
"""
_UNBOUND = """\
server:
    interface: {address}@53
    access-control: 127.0.0.0/8 allow
    do-daemonize: no
    username: ""
    chroot: ""
    pidfile: ""
    directory: {folder}
    use-syslog: no
    logfile: {folder}/unbound.log
    do-not-query-localhost: no
    module-config: "validator iterator"
    trust-anchor-signaling: no
"""


class SignedZones:
    """`zones`: their text without SOA and NS, by name. `unsigned` is served as it is, `bogus` has a wrong anchor."""

    def __init__(self, zones: Mapping[str, str], unsigned: str, bogus: str) -> None:
        missing = [name for name in _PROGRAMS if not _program(name)]
        if os.geteuid() != 0 or missing:
            raise SkipTest(f"signed zones need root and {', '.join(missing or _PROGRAMS)}: make peers")
        self._folder = tempfile.mkdtemp(prefix="pytwfix-zones-")
        os.chmod(self._folder, 0o755)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port = free_port()
        self.address = f"127.{random.randrange(2, 200)}.{random.randrange(250)}.53"
        try:
            self._serve(zones, unsigned)
            self._resolve(zones, unsigned, bogus)
        except BaseException:
            self.close()
            raise
        script = f'mount --bind {self._folder}/resolv.conf /etc/resolv.conf && exec "$0" "$@"'
        self.prefix = ["unshare", "-m", "sh", "-c", script]

    def _write(self, name: str, text: str) -> str:
        path = f"{self._folder}/{name}"
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def _start(self, program: str, *words: str) -> None:
        with open(f"{self._folder}/{program}.out", "wb") as out:
            argv = [_program(program), *words]
            self._processes.append(subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL))

    def _serve(self, zones: Mapping[str, str], unsigned: str) -> None:
        text = _KNOT.format(port=self._port, folder=self._folder) + "zone:\n"
        for name, records in zones.items():
            head = f"$ORIGIN {name}.\n$TTL 60\n@ SOA ns.{name}. root.{name}. 1 60 60 600 60\n@ NS ns.{name}.\n"
            self._write(f"{name}.zone", f"{head}ns A 127.0.0.1\n{records}")
            signing = "off" if name == unsigned else "on"
            text += f"  - domain: {name}\n    file: {name}.zone\n    dnssec-signing: {signing}\n"
        os.mkdir(f"{self._folder}/db")
        self._start("knotd", "-c", self._write("knot.conf", text))
        for name in zones:
            wait_for(partial(self._asked, f"127.0.0.1@{self._port}", name, "SOA"), self._told)

    def _resolve(self, zones: Mapping[str, str], unsigned: str, bogus: str) -> None:
        text = _UNBOUND.format(address=self.address, folder=self._folder)
        for name in zones:
            if name != unsigned:
                for anchor in self._anchors(name):
                    if name == bogus:
                        anchor = anchor[:-8] + ("0" * 8 if anchor[-8:] != "0" * 8 else "1" * 8)
                    text += f'    trust-anchor: "{anchor}"\n'
        for name in zones:
            text += f"stub-zone:\n    name: {name}\n    stub-addr: 127.0.0.1@{self._port}\n"
        self._write("resolv.conf", f"nameserver {self.address}\noptions edns0 trust-ad timeout:2 attempts:1\n")
        self._start("unbound", "-d", "-c", self._write("unbound.conf", text))
        wait_for(lambda: self._asked(self.address, next(iter(zones)), "SOA"), self._told)

    def _anchors(self, name: str) -> list[str]:
        """DS records with SHA-256, as knot's keys have them."""

        def found() -> list[str]:
            argv = [_program("keymgr"), "-c", f"{self._folder}/knot.conf", name, "ds"]
            lines = subprocess.run(argv, capture_output=True, text=True).stdout.splitlines()
            return [line for line in lines if f"{name}. DS " in line and line.split()[4] == "2"]

        anchors: Any = wait_for(found, self._told)
        return list(anchors)

    def _asked(self, server: str, name: str, kind: str) -> bool:
        argv = [_program("kdig"), f"@{server}", "+short", "+time=1", "+retry=0", name, kind]
        return bool(subprocess.run(argv, capture_output=True, text=True).stdout.strip(" ;\n"))

    def _told(self) -> str:
        told = ""
        for name in sorted(os.listdir(self._folder)):
            if name.endswith((".log", ".out")):
                with open(f"{self._folder}/{name}", encoding="utf-8", errors="replace") as file:
                    told += f"{name}: {file.read()[-1500:]}\n"
        return told

    def close(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)


def _program(name: str) -> str:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin") or ""
