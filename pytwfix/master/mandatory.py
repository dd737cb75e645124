"""Values without which nothing works, whatever is asked: checked at start and by `postfix check`, in Postfix's words.

MC-9, DN-2. Names of interfaces are looked up, which may block.
"""

from __future__ import annotations

import pwd

from pytwfix.logs.destinations import FACILITIES
from pytwfix.mail.hostnames import valid_name
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.machine import check_protocols_and_interfaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.settings.snapshot import Snapshot


def check_mandatory(snapshot: Snapshot, path: str) -> None:
    """SettingsError for the first value that cannot be; `path` is main.cf's."""

    def value(name: str) -> str:
        return snapshot.expand("$" + name)

    for name in ("myhostname", "mydomain"):
        if not valid_name(value(name).encode("utf-8", "surrogateescape"), utf8=True):
            raise SettingsError(f"file {path}: parameter {name}: bad parameter value: {value(name)}")
    if len(value("myorigin").replace(",", " ").split()) > 1:
        raise SettingsError(f"myorigin parameter setting must not contain multiple values: {value('myorigin')}")
    check_protocols_and_interfaces(snapshot, lambda text, lookup: snapshot.expand(text))
    if value("syslog_facility") not in FACILITIES:
        raise SettingsError(f"file {path}: parameter syslog_facility: unrecognized value: {value('syslog_facility')}")
    _check_log_file(value("maillog_file"), value("maillog_file_prefixes"))
    _check_privileges(value("default_privs"), path)
    environment = value("import_environment")
    if environment.count("{") > environment.count("}"):
        raise SettingsError(f'import_environment: missing \'}}\' in "{environment}"')


def _check_log_file(path: str, prefixes: str) -> None:
    """A log file is only written where maillog_file_prefixes allows it (LG-17)."""
    allowed = prefixes.replace(",", " ").split()
    if path and not any(path == one or path.startswith(one.rstrip("/") + "/") for one in allowed):
        text = "does not match any prefix in maillog_file_prefixes"
        raise SettingsError(f"maillog_file value '{path}' {text} ({', '.join(allowed)})")


def _check_privileges(name: str, path: str) -> None:
    try:
        uid = pwd.getpwnam(name).pw_uid
    except KeyError:
        raise SettingsError(f"file {path}: parameter default_privs: unknown user name value: {name}") from None
    if uid == 0:
        raise SettingsError(f"file {path}: parameter default_privs: user {name} has privileged user ID")
