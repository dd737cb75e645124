"""A mail system of one's own: `make run`, or `twistd pytwfix` as an ordinary user without a configuration.

Made once from conf/demo/ under $XDG_CONFIG_HOME/pytwfix, with its queue under $XDG_STATE_HOME/pytwfix, and kept. Root's
home is closed to the users that serve the network and write mail, so root's lies under /var/lib/pytwfix. Raises
StartError.
"""

from __future__ import annotations

import os
import pwd
import sys
from typing import Any, NamedTuple

from twisted.application.service import MultiService

from pytwfix.basics.atomicfile import write_atomically
from pytwfix.master.assembly import assemble
from pytwfix.master.startup import StartError

FILES = ("main.cf", "master.cf")
_ROOT = "/var/lib/pytwfix"


class Folders(NamedTuple):
    """Where the configuration and what it works on are."""

    config: str
    state: str


def folders(environment: dict[str, str], uid: int) -> Folders:
    """For this user."""
    if uid == 0 and "XDG_STATE_HOME" not in environment:
        return Folders(f"{_ROOT}/config", f"{_ROOT}/state")
    home = environment.get("HOME") or pwd.getpwuid(uid).pw_dir
    config = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
    state = environment.get("XDG_STATE_HOME") or f"{home}/.local/state"
    return Folders(f"{config}/pytwfix", f"{state}/pytwfix")


def examples() -> str:
    """The folder conf/: beside the package in a checkout, else where it was installed."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (os.path.join(os.path.dirname(package), "conf"), os.path.join(sys.prefix, "share/pytwfix/conf")):
        if os.path.isfile(os.path.join(folder, "demo", "main.cf")):
            return folder
    raise StartError("conf/demo/main.cf is not installed")


def write(where: Folders, user: str) -> None:
    """The files that are not there yet. OSError."""
    os.makedirs(where.config, 0o755, exist_ok=True)
    os.makedirs(where.state, 0o755, exist_ok=True)
    source = os.path.join(examples(), "demo")
    for name in FILES:
        path = f"{where.config}/{name}"
        if os.path.exists(path):
            continue
        with open(f"{source}/{name}", encoding="utf-8") as file:
            text = file.read()
        for mark, value in (("@CONFIG@", where.config), ("@STATE@", where.state), ("@USER@", user)):
            text = text.replace(mark, value.replace("$", "$$"))
        write_atomically(path, text.encode(), 0o644)


def make(reactor: Any, workers: int | None) -> MultiService:
    """The service, which says where it listens when it does."""
    uid = os.geteuid()
    where = folders(dict(os.environ), uid)
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    try:
        write(where, user)
        if uid == 0:
            _maildir(f"{where.state}/Maildir")
    except OSError as error:
        raise StartError(f"{error.filename}: {error.strerror}") from None
    return assemble(where.config, reactor, workers, True, lambda prepared: announce(where, user, prepared.plan))


def _maildir(path: str) -> None:
    """As root mail is written by another user, whom the folder must belong to: default_privs of conf/demo."""
    if os.path.isdir(path):
        return
    owner = pwd.getpwnam("daemon")
    os.mkdir(path, 0o700)
    os.chown(path, owner.pw_uid, owner.pw_gid)


def announce(where: Folders, user: str, plan: Any) -> None:
    """Where it listens, where mail goes, how to try it."""
    ports = [service.name for service in plan.services if service.type == "inet"]
    relay = plan.snapshot.expand("$relayhost") or "nowhere: no relayhost is set"
    sendmail = os.path.join(os.path.dirname(sys.executable), "sendmail")
    lines = (
        f"pytwfix listens on {', '.join(ports)}; its configuration is in {where.config}",
        f"mail for {user} and postmaster goes to {where.state}/Maildir/, mail for the outside to {relay}",
        f"try it: printf 'Subject: hello\\n\\nworld\\n' | {sendmail} -C {where.config} {user}",
        "Ctrl-C stops it",
    )
    os.write(1, ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape"))
