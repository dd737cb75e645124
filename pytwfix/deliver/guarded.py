"""A delivery whose Deferred never fails: a surprise is logged, and the recipients stay in the queue (ST-2)."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pytwfix.basics.tasks import start
from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.host import IHost
from pytwfix.contracts.queue import QueueError


def guarded(
    host: IHost, request: DeliveryRequest, work: Coroutine[Deferred[Any], Any, DeliveryResult]
) -> Deferred[DeliveryResult]:
    """Run `work`. A queue file that cannot be read is a warning, anything else an error in the log."""

    def failed(failure: Failure) -> DeliveryResult:
        error = failure.value or RuntimeError("no reason")
        if isinstance(error, QueueError):
            host.log.warning(f"{request.queue_id}: {request.queue} queue file: {error}")
        else:
            host.log.failure(f"{request.queue_id}: delivery by {request.transport}", error)
        return DeliveryResult([one for one in request.recipients if not one.done])

    return start(work).addErrback(failed)
