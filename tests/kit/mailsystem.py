"""A whole mail system with a configuration, a queue and a log of its own: started, reloaded, asked, stopped, killed.

`Pytwfix` is ours, in one of its modes; `RealPostfix` is the real one, which proves that a test asks for what is so.
Both take the same files, so that a test does not know which one it talks to. Only the loopback is used.
"""

from __future__ import annotations

import functools
import glob
import grp
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tests.kit.processes import end_family, family, wait_gone
from tests.kit.waiting import NotInTime, listens, wait_for

INLINE, WORKERS1, WORKERS2, POSTFIX = "inline", "workers1", "workers2", "postfix"
MODES = (INLINE, WORKERS1, WORKERS2)
ROOT = os.geteuid() == 0
STOCK = """\
pickup    unix  n  -  n  60   1  pickup
cleanup   unix  n  -  n  -    0  cleanup
qmgr      unix  n  -  n  300  1  qmgr
tlsmgr    unix  -  -  n  1000? 1 tlsmgr
rewrite   unix  -  -  n  -    -  trivial-rewrite
bounce    unix  -  -  n  -    0  bounce
defer     unix  -  -  n  -    0  bounce
trace     unix  -  -  n  -    0  bounce
verify    unix  -  -  n  -    1  verify
flush     unix  n  -  n  1000? 0 flush
proxymap  unix  -  -  n  -    -  proxymap
proxywrite unix -  -  n  -    1  proxymap
smtp      unix  -  -  n  -    -  smtp
relay     unix  -  -  n  -    -  smtp
    -o syslog_name=postfix/relay
showq     unix  n  -  n  -    -  showq
error     unix  -  -  n  -    -  error
retry     unix  -  -  n  -    -  error
discard   unix  -  -  n  -    -  discard
local     unix  -  n  n  -    -  local
virtual   unix  -  n  n  -    -  virtual
lmtp      unix  -  -  n  -    -  lmtp
anvil     unix  -  -  n  -    1  anvil
scache    unix  -  -  n  -    1  scache
postlog   unix-dgram n -  n  -  1  postlogd
"""


class Result(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


def owner() -> str:
    """mail_owner: the account that daemons run as."""
    return "postfix" if ROOT else pwd.getpwuid(os.geteuid()).pw_name


class MailSystem:
    """`directory` has the configuration in etc/, and queue/, data/, maillog beside it."""

    kind = ""

    def __init__(self, main: Mapping[str, str], services: str = "", tables: Mapping[str, str] | None = None) -> None:
        self.directory = tempfile.mkdtemp(prefix="pytwfix-system-")
        os.chmod(self.directory, 0o755)
        self.config, self.queue, self.data, self.maillog = (
            f"{self.directory}/{name}" for name in ("etc", "queue", "data", "maillog")
        )
        for path in (self.config, self.queue, self.data):
            os.mkdir(path, 0o755)
        account = pwd.getpwnam(owner())
        os.chown(self.data, account.pw_uid, account.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        self.prefix: list[str] = []  # what it is started with: a namespace of its own
        self.parameters: dict[str, str] = {**self._basics(), **main}
        self.write_main()
        self.write_master(services)
        for name, text in (tables or {}).items():
            self.write(name, text)

    # -- configuration

    def _basics(self) -> dict[str, str]:
        return {
            "compatibility_level": "3.6", "queue_directory": self.queue, "data_directory": self.data,
            "mail_owner": owner(), "maillog_file": self.maillog, "maillog_file_prefixes": self.directory,
            "myhostname": "mx.test.example", "mydomain": "test.example", "myorigin": "test.example",
            "mydestination": "test.example", "mynetworks": "127.0.0.0/8", "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4", "alias_maps": "", "alias_database": "", "biff": "no",
            "default_database_type": "lmdb", "smtp_dns_support_level": "disabled", "smtp_host_lookup": "native",
            "smtp_tls_security_level": "none", "smtpd_peername_lookup": "no", "in_flow_delay": "0",
            "smtputf8_enable": "yes", "recipient_delimiter": "+", "notify_classes": "resource, software",
        }  # fmt: skip

    def write_main(self, **changes: str) -> None:
        """main.cf anew, with these parameters changed."""
        self.parameters.update(changes)
        self.write("main.cf", "".join(f"{name} = {value}\n" for name, value in self.parameters.items()))

    def write_master(self, services: str) -> None:
        self.write("master.cf", STOCK + services)

    def write(self, name: str, text: str) -> str:
        """A file of the configuration; `@DIR@` and `@CONFIG@` in it are put in. Its path."""
        path = f"{self.config}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.filled(text))
        os.utime(path, (time.time() - 60,) * 2)  # Postfix's commands wait for a file that has just changed
        return path

    def filled(self, text: str) -> str:
        return text.replace("@CONFIG@", self.config).replace("@DIR@", self.directory)

    def index(self, *names: str, command: str = "postmap") -> None:
        """Make lookup tables of files of the configuration."""
        for name in names:
            self.ask(command, f"lmdb:{self.config}/{name}")

    # -- commands

    def program(self, command: str) -> str:
        raise NotImplementedError(command)

    def command(
        self, command: str, *words: str, text: bytes | str = b"", user: str = "", seconds: float = 60
    ) -> Result:
        """Run one of the mail system's commands against this instance."""
        option = "-C" if command in ("sendmail", "mailq", "newaliases") else "-c"
        argv = [self.program(command), option, self.config, *words]
        more: dict[str, Any] = {}
        if user and ROOT:
            account = pwd.getpwnam(user)
            more = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        done = subprocess.run(
            argv, input=raw, capture_output=True, timeout=seconds, env=environment, cwd=self.directory, **more
        )
        return Result(done.returncode, _text(done.stdout), _text(done.stderr))

    def ask(self, command: str, *words: str, text: bytes | str = b"") -> str:
        """The standard output of a command that must succeed."""
        answer = self.command(command, *words, text=text)
        if answer.code:
            raise AssertionError(f"{command} {' '.join(words)}: exit status {answer.code}: {answer.err}")
        return answer.out

    def listed(self) -> list[dict[str, Any]]:
        """The queue, as postqueue -j tells it."""
        return [json.loads(line) for line in self.ask("postqueue", "-j").splitlines()]

    # -- life

    def start(self, *ports: int, seconds: float = 30) -> None:
        """Returns when all these ports are listened on."""
        mark = self.mark()
        with open(f"{self.directory}/output", "ab") as output:
            self._process = subprocess.Popen(
                [*self.prefix, *self._start()], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, env={**os.environ, "TZ": "UTC"}, cwd=self.directory,
            )  # fmt: skip
        end = time.monotonic() + seconds
        for port in ports:
            while not listens(port):
                if self._process.poll() is not None:
                    raise AssertionError(f"it ended with {self._process.returncode}\n{self.told()}")
                if time.monotonic() > end:
                    raise NotInTime(f"nobody listens on port {port}\n{self.told()}")
                time.sleep(0.05)
        if ports and self.kind != POSTFIX:
            self.wait_log("daemon started -- ", mark)  # it listens before it has made its processes

    def _start(self) -> list[str]:
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def reload(self) -> None:
        """Read the configuration again; returns when that is logged."""
        mark = self.mark()
        self.ask("postfix", "reload")
        self.wait_log(r"reload -- version|refreshing the Postfix mail system", mark)

    def terminate(self) -> None:
        """SIGTERM to the master, and do not wait."""
        os.kill(self.pid, signal.SIGTERM)

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM, and wait; the exit status. Whoever is left is killed."""
        if self._process is None:
            return 0
        members = list(family(self.pid))
        if self.running:
            self.terminate()
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = -1
        if not wait_gone(members, 5):
            end_family(self.pid)
        self._process.wait(5)
        self._process = None
        return code

    def kill(self) -> None:
        """SIGKILL to every process of it at once."""
        assert self._process is not None
        told = end_family(self.pid)
        self._process.wait(10)
        self._process = None
        if not wait_gone(told):
            raise NotInTime(f"processes of {told} are still there")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    # -- log

    def mark(self) -> int:
        """Where the log ends now."""
        try:
            return os.path.getsize(self.maillog)
        except OSError:
            return 0

    def log(self, mark: int = 0) -> str:
        """The log since a mark."""
        try:
            with open(self.maillog, "rb") as file:
                file.seek(mark)
                return _text(file.read())
        except OSError:
            return ""

    def wait_log(self, pattern: str, mark: int = 0, seconds: float = 20) -> str:
        """The first log line since the mark that matches; waits for it."""

        def line() -> str | None:
            return next((one for one in self.log(mark).splitlines() if re.search(pattern, one)), None)

        return wait_for(line, lambda: f"not logged: {pattern}\n{self.told()}", seconds)

    def told(self) -> str:
        """The end of the log and of the output, for who looks for a reason."""
        with open(f"{self.directory}/output", "rb") as file:
            output = _text(file.read())[-3000:]
        return "\n".join([output, *self.log().splitlines()[-15:]])

    # -- files

    def file_with(self, pattern: str, text: str, seconds: float = 20) -> str:
        """The path of the first file of a pattern, below the instance's directory, that has this text; waits for it."""

        def look() -> str | None:
            return next((path for path in glob.glob(f"{self.directory}/{pattern}") if text in content(path)), None)

        return wait_for(look, lambda: f"no {pattern} has {text!r}\n{self.told()}", seconds)

    def files(self, queue: str) -> list[str]:
        return sorted(name for _, _, names in os.walk(f"{self.queue}/{queue}") for name in names)

    def empty(self) -> bool:
        """No mail is under way or waits."""
        return not any(self.files(queue) for queue in ("maildrop", "incoming", "active", "deferred"))


def content(path: str) -> str:
    """A file's text; nothing when the file is gone."""
    try:
        with open(path, "rb") as file:
            return _text(file.read())
    except FileNotFoundError:
        return ""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


class RealPostfix(MailSystem):
    """Debian's Postfix."""

    kind = POSTFIX

    def _basics(self) -> dict[str, str]:
        return {
            **super()._basics(), "daemon_directory": "/usr/lib/postfix/sbin", "command_directory": "/usr/sbin",
            "setgid_group": "postdrop",
        }  # fmt: skip

    @staticmethod
    def missing() -> str:
        """Why it cannot run here, or nothing."""
        if not ROOT:
            return "a real Postfix needs root"
        try:
            grp.getgrnam("postdrop")
        except KeyError:
            return "no real Postfix is installed"
        return "" if os.access("/usr/sbin/postfix", os.X_OK) else "no real Postfix is installed"

    def program(self, command: str) -> str:
        return f"/usr/bin/{command}" if command in ("mailq", "newaliases") else f"/usr/sbin/{command}"

    def _start(self) -> list[str]:
        return ["/usr/sbin/postfix", "-c", self.config, "start-fg"]

    def terminate(self) -> None:
        self.command("postfix", "stop")


class Pytwfix(MailSystem):
    """Ours, as `mode` says."""

    @staticmethod
    @functools.cache
    def missing() -> str:
        """Why it cannot run here, or nothing. As root its processes become mail_owner, who must be able to read us."""
        if not ROOT:
            return ""
        for name in (owner(), "nobody"):
            try:
                account = pwd.getpwnam(name)
            except KeyError:
                return f"as root: there is no account {name}"
            argv = ["/bin/sh", "-c", 'exec "$0" -c "import pytwfix.mail, twisted"', sys.executable]
            found = subprocess.run(argv, capture_output=True, cwd="/", user=account.pw_uid, group=account.pw_gid)
            if found.returncode:
                return f"as root: {name} may not read {sys.executable} or what it imports"
        return ""

    def __init__(self, mode: str, *given: Any, **more: Any) -> None:
        self.kind = mode
        super().__init__(*given, **more)

    def program(self, command: str) -> str:
        return f"{os.path.dirname(sys.executable)}/{command}"

    def _start(self) -> list[str]:
        options = ["--inline"] if self.kind == INLINE else ["--workers", self.kind.removeprefix("workers")]
        return [self.program("twistd"), "--nodaemon", "--pidfile=", "pytwfix", "-c", self.config, *options]


def missing(mode: str) -> str:
    """Why a mail system of a mode cannot run here, or nothing."""
    return RealPostfix.missing() if mode == POSTFIX else Pytwfix.missing()


def make(
    mode: str, main: Mapping[str, str], services: Sequence[str] = (), tables: Mapping[str, str] | None = None
) -> MailSystem:
    """A mail system of a mode. `services` are lines of master.cf."""
    lines = "".join(line + "\n" for line in services)
    if mode == POSTFIX:
        return RealPostfix(main, lines, tables)
    return Pytwfix(mode, main, lines, tables)


def listener(port: int, *options: str, program: str = "smtpd", limit: str = "-") -> str:
    """A line of master.cf: an SMTP server on the loopback."""
    words = "".join(f"\n    -o {{ {option} }}" for option in options)
    return f"127.0.0.1:{port} inet n - n - {limit} {program}{words}"
