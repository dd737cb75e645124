"""What signals mean to the master (MA-5): HUP reads the configuration again, TERM and INT end it, QUIT ends it at once.

HUP is taken from the first moment on: before anybody can act on it, it must not end the process. TERM and INT end the
process as ever until services start; from then on they are remembered, and obeyed when the reactor runs. They are taken
in the place of Twisted's handlers, which stop the reactor once for each signal, be it stopped already, and have twistd
end by the signal.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any


class Signals:
    """Takes HUP; what is asked for before `attach` is done then."""

    def __init__(self) -> None:
        self._pending: list[int] = []
        signal.signal(signal.SIGHUP, self._remember)

    def _remember(self, number: int, frame: Any) -> None:
        self._pending.append(number)

    def hold(self) -> None:
        """Services start: a Ctrl-C does not tear that apart any more."""
        self._take_ends(self._remember)

    def _take_ends(self, handler: Callable[[int, Any], None]) -> None:
        for one in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(one) is not signal.SIG_IGN:  # a shell's background job ignores INT
                signal.signal(one, handler)

    def attach(
        self, reactor: Any, reload: Callable[[], None], stop: Callable[[int], None], abort: Callable[[], None]
    ) -> None:
        """From now on they are called in a turn of the reactor, which runs; `stop` with the signal, each time."""
        signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(reload))
        signal.signal(signal.SIGQUIT, lambda *_: reactor.callFromThread(abort))
        self._take_ends(lambda number, _: reactor.callFromThread(stop, number))
        for number in dict.fromkeys(self._pending):
            if number == signal.SIGHUP:
                reactor.callLater(0, reload)
            else:
                reactor.callLater(0, stop, number)

    def ignore(self) -> None:
        """All is done: whoever is impatient now must not make it look like a crash."""
        for one in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_IGN)
