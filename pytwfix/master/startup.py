"""What is done once before anything runs: read the configuration, make directories, take the lock, open the log, bind.

Raises StartError, whose text is for the person who starts it; nothing is left locked or bound then.
"""

from __future__ import annotations

import os
import socket

from pytwfix.logs.destinations import Destination, destination
from pytwfix.master.faults import faults
from pytwfix.master.lastwords import LastWords
from pytwfix.master.limits import raise_descriptor_limit
from pytwfix.master.listeners import log_of
from pytwfix.master.mandatory import check_mandatory
from pytwfix.master.placement import known
from pytwfix.master.plan import Plan, program, read_plan
from pytwfix.master.signals import Signals
from pytwfix.master.sockets import Place, bind_all, unlink
from pytwfix.settings.honoured import unhonoured
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.mastercf import Service
from pytwfix.spool.exclusive import AlreadyRunning, InstanceLock
from pytwfix.spool.layout import Layout


class StartError(Exception):
    """The mail system cannot start."""


class StartFailed(StartError, SystemExit):
    """It could not, and has said so. An Exception, of which twistd tells the process that waits for it; no traceback
    follows when it ends the process."""

    code = 1


class Prepared:
    """All that a start needs and that an unprivileged process could not get."""

    def __init__(
        self,
        plan: Plan,
        lock: InstanceLock,
        log: Destination,
        sockets: dict[Place, socket.socket],
        signals: Signals | None = None,
        last_words: LastWords | None = None,
    ) -> None:
        self.plan = plan
        self.lock = lock
        self.log = log
        self.sockets = sockets
        self.signals = signals
        self.last_words = last_words

    def started(self) -> None:
        """Nobody waits for the start any more."""
        if self.last_words is not None:
            self.last_words.close()

    def failed(self, error: Exception) -> StartFailed:
        """What to raise when it cannot go on: whoever started it has been told, nothing is locked or bound any more."""
        text = reason(error)
        if self.last_words is not None:
            self.last_words.say(text)
        self.release()
        return StartFailed(text)

    def release(self) -> None:
        for place, bound in self.sockets.items():
            bound.close()
            unlink(place)
        self.lock.release()


def reason(error: Exception) -> str:
    """For people. What nobody expected comes with its type."""
    ours = type(error).__module__.startswith("pytwfix.")
    return str(error) if ours else f"{type(error).__name__}: {error}"


def prepare(directory: str) -> Prepared:
    """Everything up to the first process. StartError."""
    raise_descriptor_limit()
    signals = Signals()  # before the lock, by which `postfix reload` finds us
    try:
        plan = read_plan(directory)
        plan.settings.validate()
        cfg = plan.settings
        check_mandatory(plan.snapshot, f"{plan.directory}/main.cf")
        log = destination(*log_of(plan))
        Layout(cfg.queue_directory, cfg.mail_owner, cfg.setgid_group).create()
        _make_data_directory(plan)
        lock = InstanceLock(cfg.queue_directory, cfg.data_directory, cfg.process_id_directory)
        lock.acquire()
    except (SettingsError, AlreadyRunning) as error:
        raise StartError(str(error)) from error
    except KeyError as error:
        raise StartError(_no_account(str(error.args[0]))) from error
    except OSError as error:
        raise StartError(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error
    try:
        return Prepared(plan, lock, log, bind_all(plan), signals, LastWords())
    except SettingsError as error:
        lock.release()
        raise StartError(str(error)) from error


def _make_data_directory(plan: Plan) -> None:
    """data_directory belongs to mail_owner."""
    path = plan.settings.data_directory
    if os.path.isdir(path):
        return
    os.makedirs(path, 0o700)
    if os.geteuid() == 0:
        import pwd

        owner = pwd.getpwnam(plan.settings.mail_owner)
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _no_account(text: str) -> str:
    make = "groupadd -r postdrop; useradd -r -M -d /var/spool/postfix -s /usr/sbin/nologin postfix"
    return f"{text}; make the accounts with: {make}"


def _end(service: Service) -> str:
    """Where a service listens, in the master's words."""
    if service.type != "inet":
        return f"{'private' if service.private else 'public'}/{service.name}"
    host, colon, port = service.name.rpartition(":")
    return f"[{host.strip('[]')}]:{port}" if colon else port


def complaints(plan: Plan) -> list[str]:
    """What cannot be or is not honoured, what master.cf asks for and is not there, what is odd in main.cf."""
    found = [*plan.main.warnings, *faults(plan)]
    for name in unhonoured(plan.snapshot):
        found.append(f"{plan.directory}/main.cf: {name} is set, but not honoured yet")
    for service in plan.services:
        if service.repeated:
            text = f'duplicate master.cf entry for service "{service.name}" ({_end(service)}) -- using the last entry'
            found.append(text)
        if not known(program(service)):
            where = f"{plan.directory}/master.cf: line {service.line}"
            found.append(f"{where}: {service.name}: there is no program {service.command} yet; it is not started")
    chrooted = [service.name for service in plan.services if service.chroot]
    if chrooted:
        found.append(
            f"{plan.directory}/master.cf: chroot is not executed: one process serves many services "
            f"({', '.join(chrooted[:3])}{', ...' if len(chrooted) > 3 else ''})"
        )
    return found
