"""Real servers for tables: on the loopback, in a private directory, as an unprivileged user; ended with the test.

`stop`, `start`, `pause` and `resume` (a server that is there and says nothing). What is not installed is a SkipTest.
"""

from __future__ import annotations

import atexit
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.kit.processes import end_family, wait_gone
from tests.kit.waiting import free_port, wait_for


def program(*names: str) -> str:
    """The path of the first of these that is there; SkipTest."""
    for name in names:
        found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postgresql")
        for path in [found] if found else sorted(glob.glob(name)):
            if os.access(path, os.X_OK):
                return path
    raise SkipTest(f"{names[0]} is not installed")


class Server:
    """Subclasses say `user`, `prepare` (once) and `command`; a server is up when its port takes connections."""

    user = "nobody"

    def __init__(self) -> None:
        self.port = free_port()
        self.directory = tempfile.mkdtemp(prefix="pytwfix-server-", dir="/tmp")
        self.account: pwd.struct_passwd | None = None
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            self.account = _account(self.user)
            os.chown(self.directory, self.account.pw_uid, self.account.pw_gid)
        atexit.register(self.remove)
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.remove()
            raise

    def prepare(self) -> None:
        """Make what the server needs before it starts."""

    def command(self) -> list[str]:
        raise NotImplementedError

    def _as_user(self) -> dict[str, Any]:
        settings: dict[str, Any] = {"cwd": self.directory, "env": {**os.environ, "HOME": self.directory, "LC_ALL": "C"}}
        if self.account is not None:
            settings |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return settings

    def run(self, *command: str, text: str = "") -> str:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=60, **self._as_user())
        if done.returncode:
            raise AssertionError(f"{command}: {done.stdout!r} {done.stderr!r}")
        said: str = done.stdout.decode()
        return said

    def write(self, name: str, text: str) -> str:
        path = f"{self.directory}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        return path

    def start(self) -> None:
        with open(f"{self.directory}/log", "ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                **self._as_user(),
            )  # fmt: skip
        wait_for(self._listens, self._said, 40.0)

    def _listens(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"{self.command()[0]} has ended: {self._said()}")
        with socket.socket() as trial:
            trial.settimeout(1)
            return trial.connect_ex(("127.0.0.1", self.port)) == 0

    def _said(self) -> str:
        with open(f"{self.directory}/log", encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def pause(self) -> None:
        assert self._process is not None
        pids = end_family(self._process.pid, signal.SIGSTOP)
        wait_for(lambda: all(_stopped(pid) for pid in pids), "the server does not stop")  # a busy machine takes a while

    def resume(self) -> None:
        assert self._process is not None
        end_family(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            pids = end_family(process.pid, signal.SIGKILL)
            process.wait()
            wait_gone(pids)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def _account(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return pwd.getpwnam("nobody")


def keypair(server: Server, pair: tuple[bytes, bytes]) -> tuple[str, str]:
    """The paths of a certificate and its key, in PEM, which the server alone may read."""
    paths = f"{server.directory}/cert.pem", f"{server.directory}/key.pem"
    for path, content in zip(paths, pair, strict=True):
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, 0o600)
        if server.account is not None:
            os.chown(path, server.account.pw_uid, server.account.pw_gid)
    return paths


class PostgreSQL(Server):
    """User and database `mail`, no password; TLS too with a certificate and key."""

    user = "postgres"

    def __init__(self, certificate: tuple[bytes, bytes] | None = None) -> None:
        self._certificate = certificate
        super().__init__()

    def prepare(self) -> None:
        self._bin = os.path.dirname(program("/usr/lib/postgresql/*/bin/initdb", "initdb"))
        self.run(f"{self._bin}/initdb", "-D", f"{self.directory}/data", "-U", "mail", "-A", "trust", "-N", "-E", "UTF8")

    def command(self) -> list[str]:
        settings: tuple[str, ...] = (
            "fsync=off", f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.directory}",
            "shared_buffers=8MB", "max_connections=20",
        )  # fmt: skip
        if self._certificate is not None:
            certificate, key = keypair(self, self._certificate)
            settings += ("ssl=on", f"ssl_cert_file={certificate}", f"ssl_key_file={key}")
        words = [word for setting in settings for word in ("-c", setting)]
        return [f"{self._bin}/postgres", "-D", f"{self.directory}/data", *words]

    def _listens(self) -> bool:
        """It takes connections before it can serve them."""
        ask = [f"{self._bin}/pg_isready", "-qh", "127.0.0.1", "-p", str(self.port)]
        return super()._listens() and subprocess.run(ask, check=False).returncode == 0

    def sql(self, text: str) -> None:
        self.run(f"{self._bin}/psql", "-qh", self.directory, "-p", str(self.port), "-U", "mail", "postgres", text=text)


class MariaDB(Server):
    """User `mail` with the password `secret`, database `mail`; TLS too with a certificate and key."""

    user = "mysql"

    def __init__(self, certificate: tuple[bytes, bytes] | None = None) -> None:
        self._certificate = certificate
        super().__init__()

    def prepare(self) -> None:
        self._server = program("mariadbd", "mysqld")
        self.run(
            program("mariadb-install-db", "mysql_install_db"), "--no-defaults", f"--datadir={self.directory}/data",
            "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-flush-method=nosync",
        )  # fmt: skip

    def command(self) -> list[str]:
        return [
            self._server, "--no-defaults", f"--datadir={self.directory}/data", f"--port={self.port}",
            f"--socket={self.directory}/s", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=8M",
            f"--pid-file={self.directory}/pid", "--innodb-flush-method=nosync", *self._tls(),
        ]  # fmt: skip

    def _tls(self) -> list[str]:
        if self._certificate is None:
            return []
        certificate, key = keypair(self, self._certificate)
        return [f"--ssl-cert={certificate}", f"--ssl-key={key}"]

    def sql(self, text: str) -> None:
        client = program("mariadb", "mysql")
        self.run(client, "--no-defaults", f"--socket={self.directory}/s", "-uroot", "--default-character-set=utf8mb4",
                 text=text)  # fmt: skip


class Slapd(Server):
    """The directory `dc=lab`, with the manager cn=admin,dc=lab, password `secret`; on a port, and at `ldapi`.

    `certificate` and key, in PEM: STARTTLS, and TLS from the start at `tls_port`. `extra`: lines for the database. Only
    those who are known see what is below ou=secret,dc=lab; passwords are for SASL too, where `uid` names the entry.
    """

    user = "openldap"

    def __init__(
        self, entries: str, suffix: str = "dc=lab", certificate: tuple[bytes, bytes] | None = None, extra: str = ""
    ) -> None:
        self._entries = entries
        self._suffix = suffix
        self._certificate = certificate
        self._extra = extra
        self.tls_port = free_port()
        super().__init__()

    @property
    def ldapi(self) -> str:
        return "ldapi://" + f"{self.directory}/ldapi".replace("/", "%2F")

    def prepare(self) -> None:
        self._slapd = program("slapd")
        os.mkdir(f"{self.directory}/db")
        if self.account is not None:
            os.chown(f"{self.directory}/db", self.account.pw_uid, self.account.pw_gid)
        schemas = "".join(f"include /etc/ldap/schema/{name}.schema\n" for name in ("core", "cosine", "inetorgperson"))
        self._config = self.write(
            "slapd.conf",
            f"{schemas}modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {self.directory}/pid\nsizelimit 500\n"
            f"sasl-secprops none\nauthz-regexp uid=([^,]*),(.*,)?cn=auth uid=$1,dc=lab\n{self._tls()}"
            f"database mdb\nmaxsize 10485760\nsuffix {self._suffix}\nrootdn cn=admin,{self._suffix}\nrootpw secret\n"
            f"directory {self.directory}/db\nindex mail eq\n"
            "access to dn.subtree=ou=secret,dc=lab by users read by * none\naccess to * by * read\n"
            f"{self._extra}",
        )
        entries = self.write("entries.ldif", self._entries)
        self.run(program("slapadd"), "-f", self._config, "-l", entries)

    def _tls(self) -> str:
        if self._certificate is None:
            return ""
        certificate, key = keypair(self, self._certificate)
        return f"TLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n"

    def command(self) -> list[str]:
        urls = [f"ldap://127.0.0.1:{self.port}", self.ldapi]
        if self._certificate is not None:
            urls.append(f"ldaps://127.0.0.1:{self.tls_port}")
        return [self._slapd, "-d", "0", "-f", self._config, "-h", " ".join(urls)]


class Memcached(Server):
    def prepare(self) -> None:
        self._server = program("memcached")

    def command(self) -> list[str]:
        return [self._server, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "8"]


class RedisServer(Server):
    """With the password `secret`; with a certificate and key it speaks TLS, and nothing else."""

    def __init__(self, certificate: tuple[bytes, bytes] | None = None) -> None:
        self._certificate = certificate
        super().__init__()

    def prepare(self) -> None:
        self._server = program("redis-server", "valkey-server")

    def command(self) -> list[str]:
        port = ["--port", str(self.port)]
        if self._certificate is not None:
            certificate, key = keypair(self, self._certificate)
            port = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            port += ["--tls-cert-file", certificate, "--tls-key-file", key]
        return [
            self._server, "--bind", "127.0.0.1", *port, "--save", "", "--dir", self.directory,
            "--requirepass", "secret",
        ]  # fmt: skip


def _stopped(pid: int) -> bool:
    """Whether no thread of a process runs; one that is gone runs neither."""
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/stat", "rb") as file:
                if file.read().rpartition(b")")[2].split()[0] not in (b"T", b"Z", b"X"):
                    return False
    except FileNotFoundError:
        return True
    return True
