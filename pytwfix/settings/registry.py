"""Where every parameter is declared. Groups are imported when a name is first asked for that is not loaded yet.

A room's settings module is named here; tests/unit/settings sees to it that none is missing.
"""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytwfix.settings.snapshot import Snapshot

# Most asked first: what stands in common is found without importing the rooms.
MODULES = (
    "settings.services",
    "settings.addresses",
    "settings.installation",
    "settings.content",
    "settings.common",
    "settings.milter",
    "settings.tls",
    "settings.servertls",
    "settings.tlsrpt",
    "settings.commands",
    "accept.smtpd.settings",
    "accept.postscreen.settings",
    "accept.qmqpd.settings",
    "accept.pickup.settings",
    "cleanup.settings",
    "rewrite.settings",
    "qmgr.settings",
    "deliver.smtp.settings",
    "deliver.local.settings",
    "deliver.virtual.settings",
    "deliver.pipe.settings",
    "deliver.error.settings",
    "deliver.discard.settings",
    "bounce.settings",
    "anvil.settings",
    "verify.settings",
    "tlsmgr.settings",
    "tlsrpt.settings",
    "tlsproxy.settings",
    "proxymap.settings",
    "scache.settings",
    "flush.settings",
    "showq.settings",
    "dnsblog.settings",
    "spawn.settings",
    "postlogd.settings",
    "master.settings",
)

_found: dict[str, Parameter] = {}
_waiting = list(MODULES)


def groups() -> Iterator[type[Group]]:
    """Every group of parameters, rooms in the order of MODULES."""
    for name in MODULES:
        yield from _groups_of(name)


def parameters() -> dict[str, Parameter]:
    """Every declared parameter by its main.cf name."""
    while _waiting:
        _load()
    return _found


def find(name: str) -> Parameter | None:
    """The declaration of a main.cf name."""
    found = _found.get(name)
    while found is None and _waiting:
        _load()
        found = _found.get(name)
    return found


def computed(name: str) -> Callable[[Snapshot], str] | None:
    """The function that makes the default of a name that depends on this machine."""
    if name not in COMPUTED:
        return None
    from pytwfix.settings import machine

    return machine.DEFAULTS[name]


COMPUTED = frozenset(
    ("myhostname", "mydomain", "mynetworks", "command_directory", "sendmail_path", "mailq_path", "newaliases_path")
)


def _groups_of(name: str) -> Iterator[type[Group]]:
    try:
        module = __import__("pytwfix." + name, fromlist=["settings"])
    except ModuleNotFoundError as error:
        if not ("pytwfix." + name).startswith(error.name or "?"):
            raise
        return
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Group) and value.__module__ == module.__name__:
            yield value


def _load() -> None:
    for group in _groups_of(_waiting.pop(0)):
        for parameter in group.declared():
            _found[parameter.name] = parameter
