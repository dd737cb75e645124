"""What the network needs to be known: the resolver and the system's names of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.net.dns import Resolver
from pytwfix.net.native import Native

if TYPE_CHECKING:
    from pytwfix.master.process import Process

_LINGER = 10.0  # seconds that a socket to a name server on this machine waits for the next question


def attach_network(process: Process) -> None:
    """At start, after any fork. Both keep up with resolv.conf and /etc/hosts by themselves."""
    log = process.log("postfix/resolver")
    process.resolver = Resolver(
        process.reactor, process.random, process.monotonic, process.threads, process.disk, log=log, linger=_LINGER
    )
    process.names = Native(process.reactor, process.threads, process.monotonic)
