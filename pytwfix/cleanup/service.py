"""contracts/cleanup.py's ICleanup (INVENTORY CL-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pytwfix.cleanup.configuration import Configuration
from pytwfix.cleanup.settings import CleanupSettings
from pytwfix.cleanup.transaction import Transaction
from pytwfix.contracts.cleanup import INTERNAL
from pytwfix.contracts.queue import QueueError
from pytwfix.mail.errors import queue_file_write_error

if TYPE_CHECKING:
    from pytwfix.contracts.cleanup import Origin
    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.queue import INewMessage


class CleanupService(Service):
    """Begins transactions. Settings are looked at anew for each mail: a reload changes the object."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._config: Configuration | None = None

    def begin(self, origin: Origin) -> Deferred[Transaction]:
        config = self._configuration()
        if not origin.arrival:
            origin.arrival = self._host.now()

        def opened(message: INewMessage) -> Transaction:
            return Transaction(self._host, config, origin, message)

        if config.flow_delay and not origin.flags & INTERNAL and self._host.peers.queue.pressed():
            held_back: Deferred[None] = Deferred()
            self._host.call_later(config.flow_delay, held_back.callback, None)
            return held_back.addCallback(lambda _: self._host.peers.store.create()).addCallbacks(opened, self._failed)
        return self._host.peers.store.create().addCallbacks(opened, self._failed)

    def _failed(self, failure: Failure) -> Failure:
        """No space, no right: the client may try again."""
        failure.trap(QueueError)
        self._host.log.warning(f"queue file: {failure.value}")
        return Failure(queue_file_write_error(str(failure.value)))

    def _configuration(self) -> Configuration:
        cfg = self._host.settings(CleanupSettings)
        config = self._config
        if config is None or config.settings is not cfg:
            config = self._config = Configuration(self._host, cfg)
        return config
