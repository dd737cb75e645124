"""Failures behind a list with an owner are told to the owner, each at once (LO-2, BO-1).

The bounce log of the message belongs to its sender. So what would be written there goes to `bounce_one` instead, with
the owner as sender; everything else is the host's own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from twisted.internet.defer import Deferred

from pytwfix.contracts.host import IHost
from pytwfix.contracts.reports import BOUNCE, Report
from pytwfix.mail.envelope import Envelope


class _Others:
    """Whatever is asked for, of another object."""

    def __init__(self, other: Any) -> None:
        self._other = other

    def __getattr__(self, name: str) -> Any:
        return getattr(self._other, name)


class _Reports(_Others):
    def __init__(self, reports: Any, envelope: Envelope) -> None:
        super().__init__(reports)
        self._envelope = envelope

    def record(self, log: str, queue_id: str, report: Report) -> Deferred[None]:
        found: Deferred[None]
        if log == BOUNCE:
            found = self._other.bounce_one(self._envelope, report)
        else:
            found = self._other.record(log, queue_id, report)
        return found


class _Peers(_Others):
    def __init__(self, peers: Any, envelope: Envelope) -> None:
        super().__init__(peers)
        self._envelope = envelope

    @property
    def reports(self) -> _Reports:
        return _Reports(self._other.reports, self._envelope)


class _Host(_Others):
    def __init__(self, host: Any, envelope: Envelope) -> None:
        super().__init__(host)
        self.peers = _Peers(host.peers, envelope)


def owners_host(host: IHost, envelope: Envelope, owner: bytes) -> IHost:
    """The host, with `owner` as the one who hears of failures; what the sender asked for (ENVID, RET) is not his."""
    return cast(IHost, _Host(host, replace(envelope, sender=owner, dsn_envid=b"", dsn_ret=0)))
