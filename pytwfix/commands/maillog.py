"""The mail system's log, as a command of this user may write it (PL-2). Light."""

from __future__ import annotations

from pytwfix.commands.submission import value
from pytwfix.logs.destinations import Destination, destination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.settings.snapshot import Snapshot


def log_target(config: Snapshot) -> Destination:
    """OSError: a file that this user may not write."""
    names = ("maillog_file", "syslog_facility", "maillog_file_permissions", "myhostname")
    file, facility, permissions, hostname = (value(config, name) for name in names)
    return destination(file, facility, permissions, hostname)
