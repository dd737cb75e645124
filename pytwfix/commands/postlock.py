"""postlock(1): runs a command while a mailbox is locked as the local agent locks it (INVENTORY PLK, LO-4). Light.

The exit status is that of the command, 1 when a signal ended it, 75 when the file could not be locked.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import sys
import time

from pytwfix.basics.durations import parse_duration
from pytwfix.commands.options import parse
from pytwfix.commands.submission import TEMPFAIL, configuration, die, value
from pytwfix.contracts.asuser import AsUserError
from pytwfix.keeper.verbs import take_dotlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.settings.snapshot import Snapshot

_PROGRAM = "postlock"
_USAGE = "usage: postlock [-c config_dir] [-l lock_style] [-v] folder command..."
_WAYS = ("fcntl", "flock", "dotlock")


class NotLocked(Exception):
    """The file could not be opened or locked; `again` that it may be possible later."""

    def __init__(self, text: str, again: bool = False) -> None:
        super().__init__(text)
        self.again = again


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    found, words = parse(_PROGRAM, arguments, "c:l:v", _USAGE, TEMPFAIL)
    if len(words) < 2:
        die(_PROGRAM, _USAGE)
    options = dict(found)
    config = configuration(_PROGRAM, options.get("-c", ""))
    ways = _ways(options.get("-l") or value(config, "mailbox_delivery_lock"))
    path, command = words[0], words[1:]
    try:
        with Locked(path, ways, config):
            return _run(command)
    except NotLocked as error:
        die(_PROGRAM, f"open file {path}: {error}")


def _ways(text: str) -> list[str]:
    ways = re.split(r"[\s,]+", text.strip(" \t\n,"))
    for way in ways:
        if way not in _WAYS:
            die(_PROGRAM, f'unknown mailbox_delivery_lock value "{way}" in "{text}"')
    return ways


class Locked:
    """The file at `path`, which is made if it is missing, held as long as the `with` block lasts. NotLocked."""

    def __init__(self, path: str, ways: list[str], config: Snapshot) -> None:
        self._path = path
        self._ways = ways
        self._attempts = int(value(config, "deliver_lock_attempts"))
        self._delay = _seconds(config, "deliver_lock_delay")
        self._stale = _seconds(config, "stale_lock_time")
        self._fd = -1
        self._lock_file = ""

    def __enter__(self) -> None:
        try:
            for left in range(max(1, self._attempts) - 1, -1, -1):
                try:
                    self._take()
                    return
                except NotLocked as error:
                    self.release()
                    if not error.again or not left:
                        raise
                    time.sleep(self._delay)
        except BaseException:
            self.release()
            raise

    def __exit__(self, *exc: object) -> None:
        self.release()

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._lock_file:
            try:
                os.unlink(self._lock_file)
            except OSError:
                pass  # somebody took it for a stale one
            self._lock_file = ""

    def _take(self) -> None:
        if "dotlock" in self._ways:
            self._lock_file = self._make_lock_file()
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NotLocked(f"cannot open file: {error.strerror}") from None
        try:
            for way in self._ways:
                if way == "fcntl":
                    fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                elif way == "flock":
                    fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            held = error.errno in (errno.EAGAIN, errno.EACCES)
            reason = os.strerror(errno.EAGAIN) if held else error.strerror
            raise NotLocked(f"unable to lock for exclusive access: {reason}", held) from None

    def _make_lock_file(self) -> str:
        try:
            return take_dotlock(self._path, self._stale)
        except AsUserError as error:
            raise NotLocked(error.text, error.kind == "locked") from None


def _seconds(config: Snapshot, name: str) -> int:
    try:
        return parse_duration(value(config, name))
    except ValueError as error:
        die(_PROGRAM, f"{name}: {error}")


def _run(command: list[str]) -> int:
    import subprocess

    try:
        status = subprocess.run(command).returncode
    except OSError as error:
        die(_PROGRAM, f"execvp {command[0]}: {error.strerror}", 1)
    return status if status >= 0 else 1


if __name__ == "__main__":
    sys.exit(main())
