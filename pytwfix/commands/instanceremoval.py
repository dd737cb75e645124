"""The files of a mail system that goes (INVENTORY PMU). Light; Trouble while there is mail, OSError.

What the system itself makes is removed. Whatever else lies in its directories stays, and they with it.
"""

from __future__ import annotations

import os
import re
import stat

from pytwfix.commands.instances import Instance, Trouble
from pytwfix.commands.submission import value
from pytwfix.spool.layout import DIRECTORIES

_MAIL = ("maildrop", "incoming", "active", "deferred", "hold")
_RECORDS = ("bounce", "defer", "trace", "flush")  # of mail that is gone
_SOCKETS = ("private", "public", "submit")
_DATA = re.compile(r"(master\.lock|prng_exch|[a-z_]+_(cache|scache)(\.(lmdb|db|lmdb-lock))?)\Z")


def remove(instance: Instance) -> list[str]:
    """The directories that are still there."""
    queue = value(instance.config, "queue_directory")
    data = value(instance.config, "data_directory")
    for name in _MAIL:
        if any(files for _, _, files in os.walk(f"{queue}/{name}")):
            raise Trouble(f"{instance.directory}: there is mail in {queue}/{name}, the instance is not removed")
    _clear_queue(queue, value(instance.config, "process_id_directory"))
    for name in _listed(data):
        if _DATA.match(name):
            os.unlink(f"{data}/{name}")
    for name in ("main.cf", "master.cf"):
        _unlink(f"{instance.directory}/{name}")
    return [path for path in (data, queue, instance.directory) if not _rmdir(path)]


def _clear_queue(queue: str, locks: str) -> None:
    for name in _RECORDS:
        for folder, _, files in os.walk(f"{queue}/{name}"):
            for file in files:
                os.unlink(f"{folder}/{file}")
    for name in _SOCKETS:
        for file in _listed(f"{queue}/{name}"):
            mode = os.lstat(f"{queue}/{name}/{file}").st_mode
            if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode):
                os.unlink(f"{queue}/{name}/{file}")
    _unlink(f"{queue}/{locks}/master.pid")
    for item in DIRECTORIES:
        for folder, _, _ in os.walk(f"{queue}/{item.name}", topdown=False):
            _rmdir(folder)


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _rmdir(path: str) -> bool:
    """Whether it is gone."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
