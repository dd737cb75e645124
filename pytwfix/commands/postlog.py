"""postlog(1): a line in the mail system's log, from the command line or from standard input (INVENTORY PL-2). Light."""

from __future__ import annotations

import os
import sys

from pytwfix.commands.maillog import log_target
from pytwfix.commands.options import parse
from pytwfix.commands.submission import configuration, die, value, warn
from pytwfix.logs.destinations import CRITICAL, ERROR, INFO, WARNING, Destination, StdoutLog
from pytwfix.logs.lines import clean

_PROGRAM = "postlog"
_USAGE = "usage: postlog [-c config_dir] [-i] [-p priority] [-t tag] [-v] [text]"
_PRIORITIES = {
    "info": (INFO, ""),
    "warn": (WARNING, "warning: "),
    "warning": (WARNING, "warning: "),
    "error": (ERROR, "error: "),
    "fatal": (CRITICAL, "fatal: "),
    "panic": (CRITICAL, "panic: "),
}


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    found, words = parse(_PROGRAM, arguments, "c:ip:t:v", _USAGE, 1)
    options = dict(found)
    priority = options.get("-p", "info")
    if priority not in _PRIORITIES:
        die(_PROGRAM, f"unknown logging priority: {priority}", 1)
    level, prefix = _PRIORITIES[priority]
    config = configuration(_PROGRAM, options.get("-c", ""), 1, checked=True)
    tag = options.get("-t") or os.environ.get("MAIL_LOGTAG") or f"{value(config, 'syslog_name')}/{_PROGRAM}"
    lines = [" ".join(words)] if words else _input()
    try:
        target = log_target(config)
    except OSError as error:
        die(_PROGRAM, f"open {value(config, 'maillog_file')}: {error.strerror}", 1)
    _write(target, f"{tag}[{os.getpid()}]: ", level, prefix, lines)
    if sys.stderr.isatty() and not isinstance(target, StdoutLog):
        for line in lines:
            warn(tag, prefix + line)
    return 0


def _input() -> list[str]:
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    return text.splitlines()


def _write(target: Destination, tag: str, level: int, prefix: str, lines: list[str]) -> None:
    for line in lines:
        target.write(tag, level, clean(prefix + line))
    target.flush()
