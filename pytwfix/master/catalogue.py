"""Program -> room: how each is made from its host and its line of master.cf. Imported on first use."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytwfix.master.host import ServiceHost
    from pytwfix.settings.mastercf import Service

# program -> module:class, and what the constructor takes beside the host.
ROOMS = {
    "smtpd": "accept.smtpd.service:SmtpdService",
    "qmqpd": "accept.qmqpd.service:QmqpdService",
    "pickup": "accept.pickup.service:PickupService",
    "cleanup": "cleanup.service:CleanupService",
    "trivial-rewrite": "rewrite.service:RewriteService",
    "qmgr": "qmgr.service:QmgrService",
    "oqmgr": "qmgr.service:QmgrService",
    "bounce": "bounce.service:BounceService",
    "flush": "flush.service:FlushService",
    "verify": "verify.service:VerifyService",
    "anvil": "anvil.service:AnvilService",
    "tlsmgr": "tlsmgr.service:TlsmgrService",
    "tlsrpt": "tlsrpt.service:TlsrptService",
    "proxymap": "proxymap.service:ProxymapService",
    "smtp": "deliver.smtp.service:SmtpAgent",
    "lmtp": "deliver.smtp.service:SmtpAgent",
    "error": "deliver.error.service:ErrorAgent",
    "discard": "deliver.discard.service:DiscardAgent",
    "local": "deliver.local.service:LocalAgent",
    "virtual": "deliver.virtual.service:VirtualAgent",
    "pipe": "deliver.pipe.service:PipeAgent",
    "spawn": "spawn.service:SpawnService",
}

_EXTRA: dict[str, Callable[[Service], tuple[Any, ...]]] = {
    "pipe": lambda service: (service.arguments,),
    "spawn": lambda service: (service.arguments,),
    "smtp": lambda service: (False, service.arguments),
    "lmtp": lambda service: (True, service.arguments),
}


def room(program: str) -> type[Any]:
    """The class."""
    module, _, name = ROOMS[program].partition(":")
    found: type[Any] = getattr(import_module(f"pytwfix.{module}"), name)
    return found


def make(host: ServiceHost, service: Service) -> Any:
    """The service for one line of master.cf."""
    extra = _EXTRA.get(host.program)
    return room(host.program)(host, *(extra(service) if extra else ()))


# What processes import when they first need it, which nearly all do.
_LATER = ("keeper.keeper", "tables.regexp", "tables.unixtable")


def preload() -> None:
    """Import all rooms: before forking, so that processes share the code."""
    for program in ROOMS:
        room(program)
    for module in _LATER:
        import_module(f"pytwfix.{module}")
