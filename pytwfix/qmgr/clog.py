"""Warnings about a destination that fills the active queue (INVENTORY QM-12).

One with more than a fifth of qmgr_message_active_limit is named, every qmgr_clog_warn_time at most, with what helps:
more deliveries at once where they succeed, quicker failure where they do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.qmgr.destination import Destination
from pytwfix.qmgr.settings import QmgrSettings

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.qmgr.active import Active

_SHARE = 5
_OFTEN = 100  # messages between two looks


class Clog:
    """See the module."""

    def __init__(self, host: IHost, active: Active) -> None:
        self._host = host
        self._active = active
        self._next = 0.0
        self._count = 0

    def look(self) -> None:
        """A message came: now and then, look whether some destination is too full."""
        self._count += 1
        if self._count < _OFTEN:
            return
        self._count = 0
        active, config = self._active, self._active.config
        threshold = config.active_limit // _SHARE
        now = self._host.monotonic()
        if len(active.messages) <= threshold or now < self._next:
            return
        cfg = config.settings
        if not cfg.helpful_warnings or not cfg.qmgr_clog_warn_time:
            return
        every = [one for transport in active.transports.values() for one in transport.destinations.values()]
        sizes = [len(one.waiting) + one.busy for one in every]
        largest = max(sizes, default=0)
        if largest > threshold:
            self._next = now + cfg.qmgr_clog_warn_time
            self._warn(cfg, every[sizes.index(largest)], largest, sum(sizes))

    def _warn(self, cfg: QmgrSettings, destination: Destination, size: int, total: int) -> None:
        warn, transport = self._host.log.warning, destination.transport
        limits, name = transport.limits, transport.name
        warn(f"mail for {destination.nexthop} is using up {size} of {total} active queue entries")
        if destination.window.size >= limits.concurrency > 0:
            warn("this may slow down other mail deliveries")
            own = f"{name}_destination_concurrency_limit"
            if self._host.parameter(own) is None:
                own = "default_destination_concurrency_limit"
            warn(f"you may need to increase the main.cf {own} from {limits.concurrency}")
            warn(f"you may need a separate master.cf transport for {destination.nexthop}")
        else:
            warn(f"you may need to reduce {name} connect and helo timeouts")
            warn("so that Postfix quickly skips unavailable hosts")
            warn("you may need to increase the main.cf minimal_backoff_time and maximal_backoff_time")
            warn("so that Postfix wastes less time on undeliverable mail")
            warn(f"you may need to increase the master.cf {name} process limit")
        warn("please avoid flushing the whole queue when you have")
        warn("lots of deferred mail, that is bad for performance")
        warn("to turn off these warnings specify: qmgr_clog_warn_time = 0")
