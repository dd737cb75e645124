"""The active queue: messages in memory, and where their recipients wait (INVENTORY QM-4, QM-5, SC-7).

`enter` takes a message, `assign` asks for the routes of its next recipients and puts them where they wait, `ended` is
told of every outcome. A message whose recipients all have one goes to `completion`. A large message is taken in
portions, so that one does not fill the memory for all: each gets at least qmgr_message_recipient_minimum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pytwfix.contracts.delivery import PROBE
from pytwfix.contracts.rewriting import FAILED, Resolved
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.status import Dsn
from pytwfix.qmgr import log, verdict
from pytwfix.qmgr.configuration import Configuration, Limits
from pytwfix.qmgr.deliver import Deliverer
from pytwfix.qmgr.message import Message
from pytwfix.qmgr.route import RETRY, UNRESOLVED, Route, ask, filtered, redirected, route
from pytwfix.qmgr.settings import QmgrSettings
from pytwfix.qmgr.transport import Transport
from pytwfix.qmgr.turns import pause

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost

_TOGETHER = 500  # recipients that are resolved in one turn of the reactor
_Groups = dict[tuple[str, str], tuple[Transport, str, list[Recipient]]]


class Active:
    """See the module. `completed` is called with each message that is over."""

    def __init__(self, host: IHost, completed: Callable[[Message], None]) -> None:
        self._host = host
        self._completed = completed
        self._config: Configuration | None = None
        self.messages: dict[str, Message] = {}
        self.transports: dict[str, Transport] = {}
        self.recipients = 0
        self.probes = 0
        self._stopped = False
        self._waiters: list[Deferred[None]] = []
        self.deliverer = Deliverer(host, self.ended, self.retry)

    @property
    def config(self) -> Configuration:
        """As of the last reload."""
        cfg = self._host.settings(QmgrSettings)
        config = self._config
        if config is None or config.settings is not cfg:
            config = self._config = Configuration(self._host, cfg)
            for transport in self.transports.values():
                transport.adopt(self._limits(config, transport.name), config.delimiter)
        return config

    def _limits(self, config: Configuration, name: str) -> Limits:
        return Limits(self._host, config.settings, name, self._host.peers.agents.limit(name))

    # -- room ----------------------------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        return len(self.messages) >= self.config.active_limit

    async def room(self) -> None:
        """Wait until one more message may enter."""
        while self.full and not self._stopped:
            waiter: Deferred[None] = Deferred()
            self._waiters.append(waiter)
            await waiter

    def leave(self, message: Message) -> None:
        """The message is no longer in the active queue."""
        self.messages.pop(message.queue_id, None)
        if message.flags & PROBE:
            self.probes -= 1
        for job in message.jobs:
            job.transport.jobs.pop(message.queue_id, None)
        if self._waiters:
            self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)

    # -- a message -----------------------------------------------------------------------------------------------------

    def enter(self, message: Message) -> None:
        """Log it and begin."""
        config = self.config
        envelope = message.envelope
        self.messages[message.queue_id] = message
        if message.flags & PROBE:
            self.probes += 1
        log.activated(self._host.log, envelope, len(envelope.recipients), config.internal_addresses)
        todo = message.todo
        if envelope.redirect:
            todo = message.todo = redirected(envelope, todo)
        if len(todo) == 1:
            self._assign_one(config, message, todo[0])
        elif todo:
            self.assign(message)
        else:
            self._over(message)

    def _assign_one(self, config: Configuration, message: Message, recipient: Recipient) -> None:
        """The shortest way for the most usual mail."""
        found = filtered(config, message, recipient)
        if found is None:
            answer = ask(self._host.peers.rewriter, message, recipient)
            resolved = answer.result if answer.called else None
            if type(resolved) is not Resolved:
                message.resolving = True
                self._host.background(self._assign(message, answer), f"{message.queue_id}: resolve recipients")
                return
            found = route(config, message, recipient, resolved, self.probes)
        message.place = 1
        self.recipients += 1
        message.outstanding += 1
        if found.discard:
            self._discard(message, recipient)
            return
        transport = self.transport(config, found.transport)
        key = transport.key(found.nexthop, recipient.address)
        self._place(transport, key, found.nexthop, message, [recipient])

    def assign(self, message: Message) -> None:
        """The next recipients of a larger message."""
        message.resolving = True
        self._host.background(self._assign(message), f"{message.queue_id}: resolve recipients")

    async def _assign(self, message: Message, first: Deferred[Resolved] | None = None) -> None:
        config = self.config
        groups: _Groups = {}
        count = 0
        message.filled = self._host.now()
        while message.place < len(message.todo) and not message.gone:
            recipient = message.todo[message.place]
            found = filtered(config, message, recipient)
            if found is None:
                answer, first = first or ask(self._host.peers.rewriter, message, recipient), None
                resolved = await self._resolved(message, recipient, answer)
                found = route(config, message, recipient, resolved, self.probes)
            message.place += 1
            message.outstanding += 1
            self.recipients += 1
            count += 1
            if not count % _TOGETHER:
                await pause(self._host)
            if found.discard:
                self._discard(message, recipient)
            elif self._gather(config, message, recipient, found, groups) and count >= config.recipient_minimum:
                break
        message.resolving = False
        self._place_all(message, groups)

    async def _resolved(self, message: Message, recipient: Recipient, answer: Deferred[Resolved]) -> Resolved:
        """The rewriter's answer. When there is none the recipient is tried again later."""
        if not answer.called:
            answer.addTimeout(self._host.settings(QmgrSettings).qmgr_ipc_timeout, self._host.reactor)
        try:
            return await answer
        except Exception as error:
            log.trouble(self._host.log, message.queue_id, "rewrite service failure", error)
            return Resolved(RETRY, UNRESOLVED, recipient.address, FAILED)

    def _gather(
        self, config: Configuration, message: Message, recipient: Recipient, found: Route, groups: _Groups
    ) -> bool:
        """Put a recipient to those that go the same way; whether memory is full for now."""
        transport = self.transport(config, found.transport)
        key = transport.key(found.nexthop, recipient.address)
        group = groups.get((transport.name, key))
        if group is None:
            group = groups[transport.name, key] = (transport, found.nexthop, [])
        group[2].append(recipient)
        transport.recipients += 1
        limits = transport.limits
        job = transport.jobs.get(message.queue_id)
        limit = limits.recipients + (limits.extra_recipients if job is not None and job.overtaking else 0)
        return self.recipients >= config.recipient_limit or transport.recipients >= limit

    def _place_all(self, message: Message, groups: _Groups) -> None:
        """Groups in the order of their names, recipients in that of their domains."""
        for (_, key), (transport, nexthop, recipients) in sorted(groups.items(), key=lambda item: item[0]):
            if len(recipients) > 1:
                recipients.sort(key=_by_domain)
            transport.recipients -= len(recipients)  # _place counts them again
            self._place(transport, key, nexthop, message, recipients)
        if message.over:
            self._over(message)

    def _discard(self, message: Message, recipient: Recipient) -> None:
        work = verdict.discard(self._host, message, recipient, self.ended)
        self._host.background(work, f"{message.queue_id}: discard")

    def transport(self, config: Configuration, name: str) -> Transport:
        found = self.transports.get(name)
        if found is None:
            host = self._host
            limits = self._limits(config, name)
            found = self.transports[name] = Transport(name, limits, config.delimiter, host.now, self.deliverer.start)
        return found

    def _place(
        self,
        transport: Transport,
        key: str,
        nexthop: str,
        message: Message,
        recipients: list[Recipient],
        override: Dsn | None = None,
    ) -> None:
        """Deliver at once where nothing stands in the way, else wait in line."""
        if message.gone:
            self.ended(message, len(recipients))
            return
        destination = transport.destination(key, nexthop, override)
        if transport.dead is not None or destination.dead is not None:
            if message.urgent:
                self._revive(transport, destination.key)
            else:
                self.retry(message, recipients, transport.dead or destination.dead or Dsn("4.0.0", ""))
                return
        transport.recipients += len(recipients)
        at_once = 1 if message.envelope.verp else transport.limits.recipients_at_once
        if (
            (len(recipients) <= at_once or not at_once)
            and not destination.waiting
            and destination.open()
            and transport.free()
        ):
            self.deliverer.start(destination, message, recipients)
        else:
            transport.offer(destination, message, recipients)
            transport.dispatch()

    def _revive(self, transport: Transport, key: str) -> None:
        """Somebody wants this message to be tried, whatever happened before."""
        if transport.dead is not None:
            self.deliverer.revive_transport(transport)
        destination = transport.destinations.get(key)
        if destination is not None and destination.dead is not None:
            self.deliverer.revive(destination)

    def retry(self, message: Message, recipients: list[Recipient], dsn: Dsn) -> None:
        """Let the retry service tell why they are not delivered now."""
        transport = self.transport(self.config, RETRY)
        if transport.dead is not None:
            work = verdict.defer(self._host, message, recipients, dsn, self.ended)
            self._host.background(work, f"{message.queue_id}: defer")
            return
        text = f"{dsn.status} {dsn.reason}"
        self._place(transport, f"={text}", text, message, recipients, dsn)

    # -- outcomes ------------------------------------------------------------------------------------------------------

    def ended(self, message: Message, count: int) -> None:
        """So many recipients of a message have an outcome."""
        self.recipients -= count
        message.outstanding -= count
        if message.resolving:
            return
        if message.place < len(message.todo) and not message.gone:
            self._refill(message)
        elif not message.outstanding:
            self._over(message)

    def _over(self, message: Message) -> None:
        if not message.closing:
            message.closing = True
            self._completed(message)

    def _refill(self, message: Message) -> None:
        """Take more recipients of a large message: not one by one, but not too late either."""
        if message.outstanding:
            limits = [job.transport.limits for job in message.jobs]
            limit = max((one.refill_limit for one in limits), default=0)
            delay = max((one.refill_delay for one in limits), default=0)
            if message.outstanding > limit and self._host.now() - message.filled < delay:
                return
        self.assign(message)

    # -- by hand -------------------------------------------------------------------------------------------------------

    def forget(self, queue_id: str) -> None:
        """The file of a message was taken away: what waits is dropped, what is under way comes to its end."""
        message = self.messages.get(queue_id)
        if message is None:
            return
        message.gone = True
        count = 0
        for job in message.jobs:
            for peer in job.peers:
                dropped = len(peer.drain())
                job.transport.recipients -= dropped
                count += dropped
        self.ended(message, count)

    def revive_all(self) -> None:
        """Give every dead destination and transport another chance (postqueue -f)."""
        for transport in list(self.transports.values()):
            if transport.dead is not None:
                self.deliverer.revive_transport(transport)
            for destination in list(transport.destinations.values()):
                if destination.dead is not None:
                    self.deliverer.revive(destination)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = self.deliverer.stopped = True
        self._wake()
        for transport in self.transports.values():
            transport.paused = True
            transport.stop_timers()


def _by_domain(recipient: Recipient) -> tuple[bytes, bytes]:
    local, _, domain = recipient.address.rpartition(b"@")
    return domain.lower(), local
