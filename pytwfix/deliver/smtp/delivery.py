"""One request: from its nexthop to what became of each recipient (SM-2 to SM-7, SM-10, TL-7, ST-2, SC-3).

Destinations are tried in order, their servers best first. A recipient that a server takes or refuses for good is done;
all others go on to the next server. Those left at the end are deferred, or refused, for the last reason that there was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytwfix.contracts.delivery import PROBE, DeliveryResult
from pytwfix.deliver import mailbox
from pytwfix.deliver.outcome import Outcome
from pytwfix.deliver.smtp import hosts, log
from pytwfix.deliver.smtp.connecting import connect
from pytwfix.deliver.smtp.content import Content
from pytwfix.deliver.smtp.failures import LoopsBack, TlsFailed, Trouble
from pytwfix.deliver.smtp.hello import Hello
from pytwfix.deliver.smtp.hosts import Server
from pytwfix.deliver.smtp.policy import PLAIN
from pytwfix.deliver.smtp.sending import Sending
from pytwfix.deliver.smtp.session import Session
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pytwfix.contracts.delivery import DeliveryRequest
    from pytwfix.contracts.host import IHost
    from pytwfix.contracts.queue import IMessage
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.nexthop import Destination
    from pytwfix.deliver.smtp.policy import Policy
    from pytwfix.deliver.smtp.pool import Pool

_NO_ONE = Trouble(Dsn("4.3.0", "server unavailable or unable to receive mail"))


class Delivery:
    """The recipients of one request, and where they can still go."""

    def __init__(self, config: Configuration, pool: Pool, request: DeliveryRequest) -> None:
        self._config = config
        self._host: IHost = config.host
        self._pool = pool
        self._request = request
        self._outcome = Outcome(config.host, request, config.statuses)
        self._sending: Sending
        self._trouble = _NO_ONE  # why nobody who is left could be served
        self._said = True
        self._tried: set[tuple[str, int]] = set()  # addresses and ports
        self._passed_on: DeliveryResult | None = None
        self._hopeless = False
        self._wishful = config.requiretls.concerns(request.envelope)  # about TLS: no session of others will do
        self._lenient = self._wishful and config.requiretls.lenient(request.envelope)
        self._account = None if self._lenient else config.tlsrpt
        self._ours = False  # this machine is a server of the destination

    async def run(self) -> DeliveryResult:
        message = self._request.message
        if message is not None:
            await self._run(message)
        else:
            async with mailbox.opened(self._host, self._request) as message:
                await self._run(message)
        return self._passed_on or self._outcome.result

    async def _run(self, message: IMessage) -> None:
        content = Content(self._config, self._request, message)
        self._sending = sending = Sending(self._config, self._pool, self._request, self._outcome, content)
        for place in await self._places(content):
            if place.fallback and self._ours:
                break  # it may well send the mail back to us
            await self._to(place)
            if not sending.left or self._hopeless or self._passed_on is not None:
                break
        if sending.left and self._passed_on is None:
            await self._give_up()

    async def _places(self, content: Content) -> list[Destination]:
        """Where the nexthop goes; nowhere when something is wrong with it, or with the mail."""
        recipients = self._request.recipients
        if self._config.flags:
            problem = await content.flag_problem(recipients)
            if problem is not None:
                self._trouble = Trouble(problem, handshake=False)
                return []
        try:
            return self._config.destinations(self._request.nexthop)
        except ValueError as error:
            log.bad_destination(self._host.log, str(error))
            self._trouble = Trouble(Dsn("4.3.5", "Server configuration error"), handshake=False)
            return []

    async def _give_up(self) -> None:
        trouble = self._trouble
        if trouble is not _NO_ONE and trouble.handshake and not trouble.dsn.permanent:
            self._outcome.result.dead = trouble.dsn
        await self._sending.give_up(trouble)

    # One destination.

    async def _to(self, place: Destination) -> None:
        sending = self._sending
        key = self._key(place)
        session = None if self._wishful else self._pool.take(key)
        if session is not None:
            await sending.use(session)
            if not sending.stale:
                self._tried.add((session.server.address or session.server.path, session.server.port))
            if not sending.left:
                return
        try:
            servers = await self._servers(place)
        except LoopsBack as loop:
            if place.mx and self._config.cfg.best_mx_transport:
                await self._pass_on(self._config.cfg.best_mx_transport)
            else:
                self._blame(self._pardoned(loop))
            return
        except Trouble as trouble:
            self._blame(self._pardoned(trouble))
            return
        await self._try(servers, place, key)

    def _pardoned(self, trouble: Trouble) -> Trouble:
        """That relayhost cannot be found, or is this machine, is no reason to return everybody's mail."""
        if trouble.dsn.permanent and self._request.nexthop == self._config.relayhost:
            return Trouble(Dsn("4.3.5", trouble.dsn.reason), handshake=trouble.handshake)
        return trouble

    def _key(self, place: Destination) -> Hashable:
        """What idle sessions to a destination are kept under."""
        config = self._config
        if config.passwords is not None and config.passwords.by_sender:
            return place.text.lower(), self._request.envelope.sender
        return place.text.lower()

    async def _servers(self, place: Destination) -> list[Server]:
        if place.path:
            return [Server(self._config.cfg.myhostname, "", 0, path=place.path)]
        search = hosts.Search(self._config, place)
        try:
            found = await search.run()
        finally:
            self._ours |= search.ours
        cfg = self._config.cfg
        limit = cfg.smtp_mx_address_limit
        return hosts.balanced(found, limit) if cfg.smtp_balance_inet_protocols else found[: limit or len(found)]

    async def _try(self, servers: list[Server], place: Destination, key: Hashable) -> None:
        """One server after the other, until nobody is left."""
        sending = self._sending
        most, sessions = self._config.cfg.smtp_mx_session_limit, 0
        for server in servers:
            if (server.address or server.path, server.port) in self._tried:
                continue
            if most and sessions >= most:
                return
            self._say_why()
            try:
                session = await self._session(server, place, key)
            except Trouble as trouble:
                sessions += trouble.relay != "none"
                self._blame(trouble)
                if trouble.dsn.permanent and not trouble.elsewhere:
                    self._hopeless = True
                    return
                continue
            sessions += 1
            await sending.use(session)
            if sending.stale:  # it was an idle one that had gone: the server has not been asked yet
                again = await self._reopened(server, place, key)
                if again is not None:
                    await sending.use(again)
            if not sending.left:
                return

    async def _reopened(self, server: Server, place: Destination, key: Hashable) -> Session | None:
        try:
            return await self._session(server, place, key, False)
        except Trouble as trouble:
            self._blame(trouble)
            return None

    # One server.

    async def _session(self, server: Server, place: Destination, key: Hashable, idle: bool = True) -> Session:
        """A session, an idle one or a new one. Trouble: there is none."""
        policy = await self._policy(place, server)
        sender = self._request.envelope.sender if isinstance(key, tuple) else b""
        wanted = ""
        if self._wishful:
            policy, wanted = await self._config.requiretls.policy(self._request.envelope, place, policy)
        whose = place.host if policy.verifies else ""
        keys = (key, (server.address or server.path, server.port, policy, whose, sender))
        session = self._pool.take(keys[1]) if idle and not wanted else None
        if session is not None:
            return session
        try:
            session = await self._open(server, place, policy)
        except TlsFailed:
            if not self._may_do_without(policy):
                raise
            session = await self._open(server, place, PLAIN)
        session.keys = () if wanted else keys
        session.requiretls = wanted
        return session

    async def _policy(self, place: Destination, server: Server) -> Policy:
        """What we, DNS and the domain itself want of TLS. Trouble: nothing may go to this server."""
        config = self._config
        policy = await config.policies.find(place, server.host)
        try:
            if policy.level in ("dane", "dane-only"):
                from pytwfix.deliver.smtp import dane  # needs OpenSSL and its like

                resolved = await dane.resolve(config, policy, server)
                policy = resolved._replace(stated=policy.stated)
            if config.sts is not None and not policy.stated:
                policy = await config.sts.applied(place, server, policy)
        except Trouble as trouble:
            if self._lenient:
                return config.policies.made("may")
            if self._account is not None:
                self._account.unasked(place, server, trouble)
            raise
        return policy

    async def _open(self, server: Server, place: Destination, policy: Policy) -> Session:
        session = Session(self._config, server, await connect(self._config, server), place.host)
        session.tls_level = policy.level
        envelope = self._request.envelope
        try:
            hello = Hello(session, policy, place, self._request.queue_id, self._age(), envelope.sender)
            await hello.run()
        except BaseException as error:
            if self._account is not None and isinstance(error, Trouble):
                self._account.session(place, policy, session, error)
            session.close()
            raise
        if self._account is not None:
            self._account.session(place, policy, session)
        return session

    def _may_do_without(self, policy: Policy) -> bool:
        """Whether a mail goes in the clear where TLS was only wished for and did not work (TL-7)."""
        if (
            policy.level != "may"
            or (self._wishful and not self._lenient)
            or self._config.passwords is not None
            or self._config.cfg.smtp_tls_wrappermode
        ):
            return False
        return bool(self._request.flags & PROBE) or self._age() >= self._config.cfg.minimal_backoff_time

    def _age(self) -> float:
        return self._host.now() - self._request.times.arrival

    # Failures.

    def _blame(self, trouble: Trouble) -> None:
        """The latest reason, for all who are left."""
        times = self._request.times
        times.connected, times.reuse = self._host.now(), 0
        self._trouble = trouble
        self._said = trouble.relay == "none"  # a connection that was not made is logged as such
        self._sending.forget_kept()

    def _say_why(self) -> None:
        """Another server is asked: say what the last one did not like."""
        if not self._said:
            self._said = True
            log.next_server(self._host.log, self._request.queue_id, self._trouble.dsn.reason)
        self._sending.note_kept()

    async def _pass_on(self, text: str) -> None:
        """The best server is this machine: another transport has the mail (best_mx_transport)."""
        name, _, nexthop = text.partition(":")
        agent = self._host.peers.agents.agent(name)
        if agent is None:
            self._blame(Trouble(Dsn("4.3.0", f"unknown mail transport: {name}")))
            return
        request = replace(
            self._request,
            transport=name,
            nexthop=nexthop or self._request.nexthop,
            recipients=list(self._sending.left),
        )
        self._passed_on = await agent.deliver(request)
