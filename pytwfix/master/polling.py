"""The loop of Twisted's epoll reactor, without a log context of its own for each event (HOUSE 5).

Twisted sets a context before it calls a descriptor and takes it back after: a dozen calls for each read and each
accept, of which our log makes no use. Another reactor is left as it is.
"""

from __future__ import annotations

import errno
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.python import log


def streamline(reactor: Any) -> None:
    """Before the reactor runs."""
    kind: type[Any] = type(reactor)
    if kind is not EPollReactor:
        return
    selectables: dict[int, Any] = reactor._selectables
    poll = reactor._poller.poll
    call = reactor._doReadOrWrite

    def iterate(timeout: float | None) -> None:
        try:
            events = poll(-1 if timeout is None else timeout, len(selectables))
        except OSError as error:
            if error.errno == errno.EINTR:
                return
            raise
        for fd, event in events:
            selectable = selectables.get(fd)
            if selectable is None:
                continue  # closed by one that was called before it
            try:
                call(selectable, fd, event)
            except Exception:
                log.err()

    reactor.doIteration = iterate
