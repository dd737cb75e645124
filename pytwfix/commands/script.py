"""What `postfix` works with: the configuration, the lock of a running system, and its own log lines (LG-15). Light."""

from __future__ import annotations

import os
import sys

from pytwfix.commands.submission import value
from pytwfix.logs.destinations import CRITICAL, ERROR, INFO, WARNING, Destination, StdoutLog, destination
from pytwfix.logs.lines import clean
from pytwfix.spool.exclusive import running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.settings.snapshot import Snapshot


class Script:
    """`directory` is the configuration directory, `config` its main.cf, `tag` what its log lines begin with."""

    def __init__(self, directory: str, config: Snapshot, tag: str = "") -> None:
        self.directory = directory
        self.config = config
        self._syslog_name = value(config, "syslog_name")
        self._name = tag or f"{self._syslog_name}/postfix-script"
        self._log: Destination | None = None

    def value(self, name: str) -> str:
        """A parameter, expanded."""
        return value(self.config, name)

    def running(self) -> int:
        """The process ID of the system on this queue, 0 if none runs, -1 if it is not known."""
        return running(self.value("queue_directory"), self.value("process_id_directory"))

    def say(self, text: str) -> None:
        self._line(INFO, text)

    def tell(self, text: str) -> None:
        """What the command says for itself, before it does anything."""
        self._line(INFO, text, self._syslog_name)

    def warning(self, text: str) -> None:
        self._line(WARNING, "warning: " + text)

    def error(self, text: str) -> None:
        self._line(ERROR, "error: " + text)

    def fatal(self, text: str) -> int:
        """The exit status that goes with it."""
        self._line(CRITICAL, "fatal: " + text)
        return 1

    def _line(self, level: int, text: str, name: str = "") -> None:
        text = clean(text)
        name = name or self._name
        log = self._open()
        if sys.stderr.isatty() and not (isinstance(log, StdoutLog) and sys.stdout.isatty()):
            sys.stderr.write(f"{name}: {text}\n")
        if log is not None:
            log.write(f"{name}[{os.getpid()}]: ", level, text)
            log.flush()

    def _open(self) -> Destination | None:
        """None: it cannot be written, which is no reason not to go on."""
        if self._log is None:
            file, facility = self.value("maillog_file"), self.value("syslog_facility")
            try:
                permissions, hostname = self.value("maillog_file_permissions"), self.value("myhostname")
                self._log = destination(file, facility, permissions, hostname)
            except OSError as error:
                if not sys.stderr.isatty():
                    return None
                sys.stderr.write(f"{self._name}: warning: open {file}: {error.strerror}\n")
        return self._log

    def close(self) -> None:
        """The next line opens the log anew: the file may have been renamed."""
        self._log = None
