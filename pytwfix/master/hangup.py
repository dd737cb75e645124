"""SIGHUP is reload, from the first moment on (MA-5): before anybody can act on it, it must not end the process."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any


class Hangup:
    """Takes the signal; a reload that is asked for before `attach` is done then."""

    def __init__(self) -> None:
        self._pending = False
        signal.signal(signal.SIGHUP, self._remember)

    def _remember(self, number: int, frame: Any) -> None:
        self._pending = True

    def attach(self, reactor: Any, reload: Callable[[], None]) -> None:
        """From now on `reload` is called, in a turn of the reactor, which runs."""
        signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(reload))
        if self._pending:
            reactor.callLater(0, reload)
