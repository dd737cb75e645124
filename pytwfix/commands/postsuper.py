"""postsuper(1): work on queue files by hand (INVENTORY PS-20, PS-21, PS-22, QU-7). Light: no Twisted.

It works on the files, with the rights of mail_owner, and then tells a running system which messages it must forget. IDs
that are in no queue are passed over in silence. Exit status 0, or 1 after `postsuper: fatal: text`.
"""

from __future__ import annotations

import itertools
import os
import pwd
import sys
import time
from collections.abc import Callable, Iterator

from pytwfix.commands.directories import own
from pytwfix.commands.options import parse
from pytwfix.commands.submission import configuration, die, value, warn
from pytwfix.logs.destinations import INFO, WARNING, Destination, destination
from pytwfix.mail.queueid import valid
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.maincf import config_directory, read_main
from pytwfix.settings.snapshot import Snapshot
from pytwfix.spool.paths import QueuePaths
from pytwfix.spool.repair import ALL, LOGS, Repair, move

_PROGRAM = "postsuper"
_USAGE = (
    "usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] "
    "[-f queue_id (expire and/or un-hold)] [-h queue_id (hold)] [-H queue_id (un-hold)] [-p (purge temporary files)] "
    "[-r queue_id (requeue)] [-s (structure fix)] [-S (redundant structure fix)][-v (verbose)] [queue...]"
)
Say = Callable[[str, int], None]
_QUEUES = ("hold", "incoming", "active", "deferred")
_DIRECTORIES = (*ALL, "corrupt", "saved")
_EXPIRED = 0o010
_TOGETHER = 500
# In the order in which totals are told.
_TOTALS = {
    "r": "Requeued",
    "d": "Deleted",
    "e": "Force-expired",
    "h": "Placed on hold",
    "H": "Released from hold",
}


class Postsuper:
    """One run over `queues`, () for the usual ones."""

    def __init__(self, paths: QueuePaths, queues: tuple[str, ...], say: Say, verbose: bool) -> None:
        self._paths = paths
        self._queues = queues
        self._say = say
        self._verbose = verbose
        self.counts: dict[str, int] = {}
        self.touched: list[str] = []  # what a running system must forget

    def work(self, letter: str, argument: str) -> None:
        """One option: an ID, `-` for IDs from standard input, or ALL."""
        for part in "eH" if letter == "f" else letter:
            self.counts.setdefault(part, 0)
        if argument == "ALL":
            for queue in self._where(letter):
                for queue_id in list(_names(f"{self._paths.directory}/{queue}")):
                    self._one(letter, queue_id, (queue,), self._verbose)
            if letter == "d" and not self._queues:
                self._delete_logs()
        elif argument == "-":
            for line in sys.stdin:
                self._named(letter, line.strip())
        else:
            self._named(letter, argument)

    def _named(self, letter: str, queue_id: str) -> None:
        if valid(queue_id):
            self._one(letter, queue_id, self._where(letter), True)
        else:
            self._say(f"warning: invalid mail queue id: {queue_id}", WARNING)

    def _where(self, letter: str) -> tuple[str, ...]:
        queues = self._queues or (("maildrop", *_QUEUES) if letter == "d" else _QUEUES)
        if letter == "h":
            return tuple(queue for queue in queues if queue != "hold")
        if letter == "H":
            return tuple(queue for queue in queues if queue == "hold")
        return queues

    def _one(self, letter: str, queue_id: str, queues: tuple[str, ...], tell: bool) -> None:
        done = _ACTIONS[letter]
        for queue in queues:
            path = self._paths.path(queue, queue_id)
            try:
                words = done(self, queue, path, queue_id)
            except FileNotFoundError:
                continue  # elsewhere, or gone
            except OSError as error:
                self._say(f"warning: {queue_id}: {error.strerror}", WARNING)
                continue
            if tell:
                for word in words:
                    self._say(f"{queue_id}: {word}", INFO)
            if words:
                self.touched.append(queue_id)
            return

    def _count(self, letter: str) -> None:
        self.counts[letter] += 1

    # -- what is done to one file; FileNotFoundError when it is not in this queue -----------------------------------

    def _delete(self, queue: str, path: str, queue_id: str) -> list[str]:
        os.unlink(path)
        for log in LOGS:
            try:
                os.unlink(self._paths.path(log, queue_id))
            except FileNotFoundError:
                continue
        self._count("d")
        return ["removed"]

    def _delete_logs(self) -> None:
        """Those of messages that were gone before."""
        for log in ("defer", "bounce"):
            for queue_id in list(_names(f"{self._paths.directory}/{log}")):
                os.unlink(self._paths.path(log, queue_id))

    def _requeue(self, queue: str, path: str, queue_id: str) -> list[str]:
        self._move(path, "maildrop", queue_id)
        self._count("r")
        return ["requeued"]

    def _expire(self, queue: str, path: str, queue_id: str) -> list[str]:
        mode = os.stat(path).st_mode & 0o7777
        if mode & _EXPIRED:
            return []
        os.chmod(path, mode | _EXPIRED)
        self._count("e")
        return ["expired"]

    def _hold(self, queue: str, path: str, queue_id: str) -> list[str]:
        self._move(path, "hold", queue_id)
        self._count("h")
        return ["placed on hold"]

    def _release(self, queue: str, path: str, queue_id: str) -> list[str]:
        self._move(path, "deferred", queue_id)
        self._count("H")
        return ["released from hold"]

    def _force(self, queue: str, path: str, queue_id: str) -> list[str]:
        words = self._expire(queue, path, queue_id)
        return words + self._release(queue, path, queue_id) if queue == "hold" else words

    def _move(self, path: str, target: str, queue_id: str) -> None:
        os.stat(path)  # a missing directory of the target must not look like a missing file
        now = time.time()
        os.utime(path, (now, now))
        move(self._paths, target, path, queue_id)


_ACTIONS: dict[str, Callable[[Postsuper, str, str, str], list[str]]] = {
    "d": Postsuper._delete,
    "e": Postsuper._expire,
    "f": Postsuper._force,
    "h": Postsuper._hold,
    "H": Postsuper._release,
    "r": Postsuper._requeue,
}


def _names(folder: str) -> Iterator[str]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        if len(name) == 1 and os.path.isdir(f"{folder}/{name}"):
            yield from _names(f"{folder}/{name}")
        elif valid(name):
            yield name


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    _check_user(sys.argv[1:] if arguments is None else arguments)
    found, queues = parse(_PROGRAM, arguments, "c:d:e:f:h:H:pr:sSv", _USAGE, 1)
    for queue in queues:
        if queue not in _DIRECTORIES:
            die(_PROGRAM, f"invalid directory name: {queue}", 1)
    options = dict(found)
    config = configuration(_PROGRAM, options.get("-c", ""), 1)
    log = _open_log(config)
    tag = f"{value(config, 'syslog_name')}/{_PROGRAM}[{os.getpid()}]: "

    def say(text: str, level: int = INFO) -> None:
        warn(_PROGRAM, text)
        log.write(tag, level, text)

    _become_owner(config)
    try:
        _run(config, [(letter[1:], argument) for letter, argument in found], tuple(queues), say)
    except OSError as error:
        log.flush()
        die(_PROGRAM, f"{error.filename}: {error.strerror}", 1)
    log.flush()
    return 0


def _run(config: Snapshot, found: list[tuple[str, str]], queues: tuple[str, ...], say: Say) -> None:
    depth = int(value(config, "hash_queue_depth"))
    paths = QueuePaths(value(config, "queue_directory"), value(config, "hash_queue_names"), depth)
    letters = {letter for letter, _ in found}
    work = Postsuper(paths, queues, say, "v" in letters)
    for letter, argument in found:
        if letter in _ACTIONS:
            work.work(letter, argument)
    for letter, text in _TOTALS.items():
        if letter in work.counts:
            say(_total(text, work.counts[letter]), INFO)
    if not letters - {"c", "v"}:
        letters |= {"s", "p"}
    if letters & {"s", "S", "p"}:
        _repair(config, paths, queues, letters, say)
    _tell(paths, work.touched)


def _repair(config: Snapshot, paths: QueuePaths, queues: tuple[str, ...], letters: set[str], say: Say) -> None:
    long_ids = value(config, "enable_long_queue_ids") == "yes"
    repair = Repair(paths, long_ids, lambda text: say(f"warning: {text}", WARNING))
    repair.run(queues, bool(letters & {"s", "S"}), "p" in letters, "S" in letters)
    if repair.renamed:
        say(_total("Renamed to match inode number", repair.renamed), INFO)
        say("warning: QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS", WARNING)


def _total(text: str, count: int) -> str:
    return f"{text}: {count} message{'' if count == 1 else 's'}"


def _open_log(config: Snapshot) -> Destination:
    file, facility = value(config, "maillog_file"), value(config, "syslog_facility")
    try:
        return destination(file, facility, value(config, "maillog_file_permissions"), value(config, "myhostname"))
    except OSError as error:
        die(_PROGRAM, f"open logfile '{file}': {error.strerror}", 1)


def _check_user(arguments: list[str]) -> None:
    """Before anything else is said: others than root may work on a queue of their own, and on no other."""
    if os.geteuid() == 0:
        return
    named = [words[1] for words in itertools.pairwise(arguments) if words[0] == "-c"]
    try:
        queue = value(Snapshot(read_main(config_directory(named[-1] if named else "")).values), "queue_directory")
        if own(f"{queue}/incoming"):
            return
    except SettingsError:
        pass  # whatever is wrong with it is none of the user's business
    die(_PROGRAM, "use of this command is reserved for the superuser", 1)


def _become_owner(config: Snapshot) -> None:
    """Directories that are made shall belong to mail_owner."""
    if os.geteuid() != 0:
        return
    owner = value(config, "mail_owner")
    try:
        user = pwd.getpwnam(owner)
    except KeyError:
        die(_PROGRAM, f"mail_owner {owner}: no such user", 1)
    os.setgroups([])
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)


def _tell(paths: QueuePaths, queue_ids: list[str]) -> None:
    """A running system must forget them. When it is down there is nobody to tell."""
    if not queue_ids:
        return
    path = f"{paths.directory}/private/control"
    if not os.path.exists(path):
        return
    from pytwfix.commands.controlclient import ControlDown, ControlError, ask

    for start in range(0, len(queue_ids), _TOGETHER):
        try:
            for _ in ask(path, {"verb": "forget", "ids": queue_ids[start : start + _TOGETHER]}):
                continue
        except ControlDown:
            return
        except ControlError as error:
            warn(_PROGRAM, f"warning: {error}")


if __name__ == "__main__":
    sys.exit(main())
