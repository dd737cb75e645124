"""Handing a mail to the running system, or to maildrop/ as root when it does not run (INVENTORY SE-2, PD-1; HOUSE 3).

Light: no Twisted, dataclasses or zope. An ordinary user submits by the socket; the daemon knows the user's uid from the
kernel. Raises SubmitError with an exit code of sysexits(3).
"""

from __future__ import annotations

import os
import pwd
import sys
import time

from pytwfix.accept.pickup import drop, records
from pytwfix.accept.pickup.dropname import SUBMITTER
from pytwfix.basics.disk import Disk
from pytwfix.basics.socketpath import reachable
from pytwfix.commands import directories
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.maincf import config_directory, read_main
from pytwfix.settings.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import NoReturn

_TIMEOUT = 60.0
_SOCKET = "submit/socket"
DATAERR, UNAVAILABLE, SOFTWARE, TEMPFAIL, NOPERM = 65, 69, 70, 75, 77


class SubmitError(Exception):
    """It was not taken; `code` says what the command exits with."""

    def __init__(self, text: str, code: int = TEMPFAIL) -> None:
        super().__init__(text)
        self.code = code


def die(program: str, text: str, code: int = TEMPFAIL) -> NoReturn:
    """`program: fatal: text` on standard error, and the end."""
    warn(program, "fatal: " + text)
    raise SystemExit(code)


def warn(program: str, text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"{program}: {text}\n")


def configuration(program: str, directory: str, code: int = TEMPFAIL, checked: bool = False) -> Snapshot:
    """main.cf of `directory`, MAIL_CONFIG or the default place; what is wrong with it ends the command with `code`.

    :param checked: an ordinary user may not name just any directory (MC-9).
    """
    if os.path.isfile(directory):
        directory = os.path.dirname(directory)
    try:
        if checked and (refused := directories.refusal(directories.named(directory))) is not None:
            warn(program, f"error: {refused[0]}")
            die(program, refused[1], code)
        return Snapshot(read_main(config_directory(directory)).values)
    except SettingsError as error:
        die(program, str(error), code)


def value(config: Snapshot, name: str) -> str:
    """A parameter, expanded."""
    return config.expand("$" + name)


def submit(config: Snapshot, data: bytes) -> str:
    """Records of one mail; the answer is the maildrop file's name."""
    directory = value(config, "queue_directory")
    connection = _connect(f"{directory}/{_SOCKET}")
    if connection is not None:
        try:
            return _talk(connection, data)
        except OSError as error:
            raise SubmitError(f"mail system: {error.strerror or error}") from error
        finally:
            connection.close()
    if os.geteuid() != 0:
        raise SubmitError("the mail system is down: nobody listens on " + f"{directory}/{_SOCKET}")
    return _drop(config, directory, data)


def _connect(path: str) -> socket.socket | None:
    import socket

    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_TIMEOUT)
    try:
        with reachable(path) as name:
            connection.connect(name)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except OSError as error:
        connection.close()
        raise SubmitError(f"connect to {path}: {error.strerror or error}") from error
    return connection


def _talk(connection: socket.socket, data: bytes) -> str:
    import json

    connection.sendall(b'{"verb": "submit"}\n%d\n' % len(data) + data)
    answer = b""
    while part := connection.recv(65536):
        answer += part
        if answer.endswith(b"\n") and b'"ok"' in answer:
            break
    try:
        last = json.loads(answer.decode("utf-8", "replace").splitlines()[-1])
    except (ValueError, IndexError):
        raise SubmitError("the mail system hung up without an answer") from None
    if last.get("ok"):
        return str(last.get("queue_id", ""))
    raise SubmitError(str(last.get("error", "refused")), int(last.get("code") or TEMPFAIL))


def _drop(config: Snapshot, directory: str, data: bytes) -> str:
    """root, while nothing runs: the file is found when the system starts."""
    owner = value(config, "mail_owner")
    try:
        user = pwd.getpwnam(owner)
    except KeyError:
        raise SubmitError(f"mail_owner {owner}: no such user") from None
    marked = records.attribute(SUBMITTER, b"%d" % os.getuid()) + data
    try:
        return drop.write(Disk(), directory, marked, time.time(), (user.pw_uid, user.pw_gid))
    except OSError as error:
        raise SubmitError(f"{error.filename or directory}: {error.strerror}") from error


def login() -> str:
    """The name of whoever runs the command."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
