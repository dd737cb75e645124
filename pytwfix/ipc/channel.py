"""One connection between two processes, over which either may ask the other (HOUSE 3 and 5).

Messages, as msgpack arrays:

    (number > 0, method, *arguments)   a call: it is answered under its number
    (0, method, *arguments)            a cast: nobody waits for an answer
    (-number, 0, value)                the answer to a call
    (-number, 1, failure)              the call failed
    (-number, 2)                       who made this call no longer wants its answer

What is ready in one turn of the reactor goes in one write. When the connection ends, whatever waits fails with Gone and
the owner is told; what was asked of us is finished, since a delivery that was begun is better recorded than cut off.
Memory is bounded: beyond `MOST_SERVED` calls of the peer, or `MOST_WAITING` messages that it does not read, calls fail
with Busy.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IFileDescriptorReceiver
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from pytwfix.ipc.failures import Busy, Gone, known, pack_failure, unpack_failure
from pytwfix.ipc.frames import Malformed, Reader, Writer

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog

MOST_SERVED = 20_000
MOST_WAITING = 100_000
_DONE, _FAILED, _CANCEL = 0, 1, 2
_NO_NAMES: Mapping[str, Any] = {}
Handler = Callable[..., Any]
Read = Callable[[Any], Any]


class Channel(Protocol):
    """`served` answers by method number: what a handler returns or its Deferred fires with must be of plain values.

    `clock` is IReactorTime; `name` is the peer, for people; `patience` is how long a call may take when it does not say
    otherwise (ipc_timeout); `gone` is called with this channel when the connection has ended.
    """

    transport: Any = None

    def __init__(
        self,
        clock: Any,
        log: ILog,
        name: str,
        served: Mapping[int, Handler],
        patience: float = 3600.0,
        gone: Callable[[Channel], None] | None = None,
    ) -> None:
        self.name = name
        self._clock = clock
        self._log = log
        self._served = served
        self._patience = patience
        self._gone = gone
        self._reader = Reader()
        self._writer = Writer()
        self._out: list[tuple[Any, ...]] = []
        self._number = 0
        self._asked: dict[int, tuple[Deferred[Any], Read | None, float]] = {}
        self._serving: dict[int, Deferred[Any]] = {}
        self._flushing = False
        self._blocked = False
        self._direct = False
        self._up = True
        self._dropped = False
        self._sweep: Any = None

    # -- asking ----------------------------------------------------------------------------------------------------

    def call(self, method: int, *arguments: Any, read: Read | None = None, limit: float = 0.0) -> Deferred[Any]:
        """The answer, through `read` when it is given. Errback: an error of a contract, Gone, Busy."""
        if not self._up:
            return fail(Gone(f"the {self.name} process is gone"))
        if len(self._out) >= MOST_WAITING:
            return fail(Busy(f"the {self.name} process does not listen"))
        number = self._number = self._number + 1
        answer: Deferred[Any] = Deferred(partial(self._unwanted, number))
        self._asked[number] = (answer, read, self._clock.seconds() + (limit or self._patience))
        self._send((number, method, *arguments))
        if self._sweep is None:
            self._sweep = self._clock.callLater(min(30.0, self._patience), self._sweep_now)
        return answer

    def cast(self, method: int, *arguments: Any) -> None:
        """Tell, without an answer. Lost when the peer is gone."""
        if not self._up:
            return
        if len(self._out) >= MOST_WAITING:
            if not self._dropped:
                self._dropped = True
                self._log.warning(f"the {self.name} process does not listen")
            return
        self._send((0, method, *arguments))

    def give(self, descriptor: int, method: int, *arguments: Any) -> None:
        """A cast that takes a copy of a descriptor along, which the other side finds first in `descriptors`."""
        if not self._up or self.transport is None:
            return
        copy = os.dup(descriptor)
        self.transport.sendFileDescriptor(copy)
        self._send((0, method, *arguments))
        self._flush()
        self._close_given(copy)

    def _close_given(self, copy: int) -> None:
        """When it has left."""
        if self._up and copy in self.transport._sendmsgQueue:
            self._clock.callLater(1, self._close_given, copy)
        else:
            os.close(copy)

    @property
    def up(self) -> bool:
        return self._up

    @property
    def waiting(self) -> int:
        """Calls of ours that are not answered."""
        return len(self._asked)

    def _send(self, message: tuple[Any, ...]) -> None:
        self._out.append(message)
        if not self._flushing:
            self._flushing = True
            self._clock.callLater(0, self._flush)

    def _unwanted(self, number: int, answer: Deferred[Any]) -> None:
        """The canceller: Twisted fires `answer` with CancelledError."""
        if self._asked.pop(number, None) is not None and self._up:
            self._send((-number, _CANCEL))

    def _sweep_now(self) -> None:
        """Calls whose time is up fail."""
        self._sweep = None
        now = self._clock.seconds()
        for number in [number for number, asked in self._asked.items() if asked[2] <= now]:
            asked = self._asked.pop(number, None)
            if asked is not None:
                self._send((-number, _CANCEL))
                asked[0].errback(Gone(f"the {self.name} process did not answer in time"))
        if self._asked and self._up and self._sweep is None:
            self._sweep = self._clock.callLater(min(30.0, self._patience), self._sweep_now)

    # -- the wire --------------------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        self.transport.registerProducer(self, True)
        self._direct = hasattr(self.transport, "writeSomeData")
        if self._out:
            self._flush()

    def _flush(self) -> None:
        self._flushing = False
        if self._blocked or not self._out or self.transport is None:
            return
        messages, self._out = self._out, []
        data, bad = self._writer.frames(messages)
        if self._direct:
            data = self._sent_at_once(data)
        if data:
            self.transport.write(data)
        for message in bad:
            self._unsendable(message)

    def _sent_at_once(self, data: bytes) -> bytes:
        """What the socket does not take now. Twisted would first ask epoll whether it may write, which costs two system
        calls and a turn of the reactor for each batch."""
        transport = self.transport
        if transport.dataBuffer or transport._tempDataBuffer:
            return data
        sent = transport.writeSomeData(data)
        return data[sent:] if isinstance(sent, int) else data

    def _unsendable(self, message: tuple[Any, ...]) -> None:
        """It holds what cannot travel, or is larger than a frame."""
        number = message[0]
        error = Gone(f"a message to the {self.name} process cannot be sent")
        self._log.error(error.reason)
        if number > 0:
            asked = self._asked.pop(number, None)
            if asked is not None:
                asked[0].errback(error)
        elif number < 0:
            self._send((number, _FAILED, pack_failure(error)))

    def pauseProducing(self) -> None:
        self._blocked = True

    def resumeProducing(self) -> None:
        self._blocked = self._dropped = False
        self._flush()

    def stopProducing(self) -> None:
        """connectionLost says it all."""

    def dataReceived(self, data: bytes) -> None:
        flushing, self._flushing = self._flushing, True
        try:
            for message in self._reader.feed(data):
                self._message(message)
        except Malformed as error:
            self._log.error(f"malformed message from the {self.name} process: {error}")
            self.transport.abortConnection()
        if not flushing:
            self._flush()
        self._flushing = flushing

    def _message(self, message: Any) -> None:
        if type(message) is not tuple or len(message) < 2 or type(message[0]) is not int or type(message[1]) is not int:
            raise Malformed("message")
        number = message[0]
        if number >= 0:
            self._serve(number, message[1], message[2:])
        elif message[1] == _CANCEL:
            working = self._serving.pop(-number, None)
            if working is not None:
                working.cancel()
        elif len(message) == 3:
            self._answered(-number, message[1], message[2])

    def _answered(self, number: int, outcome: int, value: Any) -> None:
        asked = self._asked.pop(number, None)
        if asked is None:
            return  # it came too late
        answer, read, _ = asked
        try:
            if outcome != _DONE:
                answer.errback(unpack_failure(value))
            else:
                answer.callback(value if read is None else read(value))
        except Malformed:
            if not answer.called:
                answer.errback(Gone(f"the {self.name} process gave an answer that makes no sense"))
            raise

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._up = False
        self._out.clear()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        self._serving.clear()
        asked, self._asked = self._asked, {}
        for answer, _, _ in asked.values():
            answer.errback(Gone(f"the {self.name} process is gone"))
        if self._gone is not None:
            self._gone(self)

    def stop(self) -> None:
        """Send what is ready and close."""
        if self._up and self.transport is not None:
            self._flush()
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    # -- answering -------------------------------------------------------------------------------------------------

    def _serve(self, number: int, method: int, arguments: tuple[Any, ...]) -> None:
        handler = self._served.get(method)
        if handler is None:
            raise Malformed(f"method {method}")
        if len(self._serving) >= MOST_SERVED:
            if number:
                self._send((-number, _FAILED, pack_failure(Busy("too many requests at once"))))
            return
        try:
            answer = handler(*arguments)
        except Exception as error:
            self._raised(number, error)
            return
        if isinstance(answer, Deferred):
            if not answer.called:
                self._serving[number or id(answer)] = answer
            answer.addCallbacks(self._succeeded, self._errored, (number, answer), _NO_NAMES, (number, answer))
        elif number:
            self._send((-number, _DONE, answer))

    def _succeeded(self, value: Any, number: int, answer: Deferred[Any]) -> None:
        self._serving.pop(number or id(answer), None)
        if number and self._up:
            self._send((-number, _DONE, value))

    def _errored(self, failure: Failure, number: int, answer: Deferred[Any]) -> None:
        self._serving.pop(number or id(answer), None)
        self._raised(number, failure.value)  # type: ignore[arg-type]

    def _raised(self, number: int, error: BaseException) -> None:
        if not known(error):
            self._log.failure(f"request from the {self.name} process", error)
        if number and self._up:
            self._send((-number, _FAILED, pack_failure(error)))


@implementer(IFileDescriptorReceiver)
class Receiver(Channel):
    """A channel over which a trusted peer may give us descriptors; whoever handles its cast takes them from here."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.descriptors: deque[int] = deque()

    def fileDescriptorReceived(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self.descriptors.append(descriptor)


def adopt(reactor: Any, end: socket.socket, protocol: Any) -> None:
    """Let `protocol` talk over our end of a socket pair, which is then the reactor's."""
    end.setblocking(False)
    factory: Any = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda _address: protocol
    reactor.adoptStreamConnection(end.fileno(), socket.AF_UNIX, factory)
    end.close()
