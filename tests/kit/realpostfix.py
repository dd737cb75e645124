"""A real Postfix with a configuration and a queue of its own: it listens nowhere, and ends with the test."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Callable

from twisted.trial.unittest import SkipTest

POSTFIX = "/usr/sbin/postfix"
_DAEMONS = "/usr/lib/postfix/sbin"
_MASTER = """\
pickup    unix  n  -  n  60   1  pickup
cleanup   unix  n  -  n  -    0  cleanup
qmgr      unix  n  -  n  300  1  qmgr
rewrite   unix  -  -  n  -    -  trivial-rewrite
bounce    unix  -  -  n  -    0  bounce
defer     unix  -  -  n  -    0  bounce
trace     unix  -  -  n  -    0  bounce
verify    unix  -  -  n  -    1  verify
flush     unix  n  -  n  1000? 0 flush
proxymap  unix  -  -  n  -    -  proxymap
smtp      unix  -  -  n  -    -  smtp
showq     unix  n  -  n  -    -  showq
error     unix  -  -  n  -    -  error
retry     unix  -  -  n  -    -  error
discard   unix  -  -  n  -    -  discard
local     unix  -  n  n  -    -  local
postlog   unix-dgram n -  n  -  1  postlogd
"""


class RealPostfix:
    """`directory` has main.cf and master.cf in etc/, the queue in queue/, the log in log/maillog."""

    def __init__(self, **main: str) -> None:
        if os.geteuid() != 0 or not os.access(POSTFIX, os.X_OK) or not os.path.isdir(_DAEMONS):
            raise SkipTest("needs root and a real Postfix")
        self._folder = tempfile.TemporaryDirectory(prefix="pytwfix-real-")
        self.directory = self._folder.name
        os.chmod(self.directory, 0o755)
        for name in ("etc", "queue", "data", "log"):
            os.mkdir(f"{self.directory}/{name}")
        self.owner = pwd.getpwnam("postfix")
        for name in ("data", "log"):
            os.chown(f"{self.directory}/{name}", self.owner.pw_uid, self.owner.pw_gid)
        self.queue = f"{self.directory}/queue"
        self.config = f"{self.directory}/etc"
        values = {
            "compatibility_level": "3.6", "queue_directory": self.queue, "data_directory": f"{self.directory}/data",
            "daemon_directory": _DAEMONS, "command_directory": "/usr/sbin", "mail_owner": "postfix",
            "setgid_group": "postdrop", "myhostname": "real.example.com", "mydestination": "", "alias_maps": "",
            "maillog_file": f"{self.directory}/log/maillog", "maillog_file_prefixes": self.directory,
            "default_database_type": "texthash", **main,
        }  # fmt: skip
        with open(f"{self.config}/main.cf", "w", encoding="ascii") as file:
            file.writelines(f"{name} = {value}\n" for name, value in values.items())
        with open(f"{self.config}/master.cf", "w", encoding="ascii") as file:
            file.write(_MASTER)
        os.utime(f"{self.config}/main.cf", (1, 1))  # Postfix's commands wait for a file that has just changed
        self.run("postfix", "check")

    def run(self, command: str, *words: str, text: bytes = b"") -> bytes:
        """A command's standard output; its exit status must be 0."""
        argv = [f"/usr/sbin/{command}", "-C" if command == "sendmail" else "-c", self.config, *words]
        found = subprocess.run(argv, input=text, capture_output=True, timeout=30)
        if found.returncode:
            raise AssertionError(f"{argv}: {found.returncode}: {found.stderr.decode()}")
        return found.stdout

    def start(self) -> None:
        self.run("postfix", "start")

    def stop(self) -> None:
        subprocess.run([POSTFIX, "-c", self.config, "stop"], capture_output=True, timeout=60)

    def remove(self) -> None:
        self.stop()
        self._folder.cleanup()

    def give(self, path: str) -> None:
        """Make a file Postfix's own, and the directory that it is in."""
        os.chown(path, self.owner.pw_uid, self.owner.pw_gid)
        folder = os.path.dirname(path)
        if len(os.path.basename(folder)) == 1:
            os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)

    def log(self) -> str:
        try:
            with open(f"{self.directory}/log/maillog", encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def files(self, queue: str) -> list[str]:
        """The names of a queue's files."""
        return sorted(name for _, _, names in os.walk(f"{self.queue}/{queue}") for name in names)

    @staticmethod
    def wait(condition: Callable[[], object], seconds: float = 15.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError("it did not happen in time")
            time.sleep(0.05)
