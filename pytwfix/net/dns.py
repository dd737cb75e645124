"""The resolver: questions to the servers of resolv.conf, answers kept by their lifetime (SM-3, SD-36; RFC 1035).

Failures are typed as contracts/dns.py has them, with Postfix's words. A server that is silent, refuses or fails is
followed by the next one; who did not answer goes last for a while. Equal questions that are under way are one. A
message that is truncated is asked for again over TCP. CNAMEs are followed also where the server did not.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.defer import Deferred, DeferredSemaphore, fail, succeed

from pytwfix.basics.tasks import start
from pytwfix.contracts.dns import Answer, BadAnswer, DnsError, NoData, SearchList, TryAgain
from pytwfix.mail.hostnames import valid_name
from pytwfix.net import dnsfailures as failures
from pytwfix.net.dnscache import LONGEST, LONGEST_FAILURE, Cache
from pytwfix.net.dnschannel import Channel, is_loopback
from pytwfix.net.dnsconfig import RESOLV_CONF, Config, ConfigFile, FixedConfig
from pytwfix.net.dnsexchange import NoReply, ask_datagram, ask_stream
from pytwfix.net.dnswire import FORMERR, NOERROR, NOTIMP, NXDOMAIN, Malformed, Parsed, Question, parse, reverse_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.contracts.host import IDisk, ILog, IRandom, IThreads
    from pytwfix.net.dnsconfig import Server

    Outcome = Answer | DnsError

_AT_ONCE = 200  # sockets that wait for an answer
_ALIASES = 8  # CNAMEs that are asked for one by one
_LAST_FOR = 30.0  # seconds that a silent server is asked last


class _First(NamedTuple):
    """A server that has been asked, and what came of it."""

    server: Server
    question: Question
    data: bytes | NoReply


class Resolver:
    """IResolver. `config` fixes servers and limits; without it resolv.conf is read by `threads` and `disk`."""

    def __init__(
        self,
        reactor: Any,
        random: IRandom,
        monotonic: Callable[[], float],
        threads: IThreads | None = None,
        disk: IDisk | None = None,
        config: Config | None = None,
        path: str = RESOLV_CONF,
        domain: str = "",
        log: ILog | None = None,
        cache_size: int = 20000,
        linger: float = 0.0,
    ) -> None:
        """`linger`: for how many seconds a socket to a server on this machine is kept for the next question."""
        self._reactor = reactor
        self._random = random
        self._monotonic = monotonic
        self._log = log
        self._cache = Cache(monotonic, cache_size)
        self._waiting: dict[tuple[str, str], list[Deferred[Answer]]] = {}
        self._places = DeferredSemaphore(_AT_ONCE)
        self._silent: dict[Server, float] = {}
        self._channels: dict[Server, Channel] = {}
        self._linger = linger
        self._config: ConfigFile | FixedConfig
        if config is not None or threads is None or disk is None:
            self._config = FixedConfig(config or Config())
        else:
            self._config = ConfigFile(threads, disk, monotonic, path, domain)

    # IResolver.

    def mx(self, name: str) -> Deferred[Answer]:
        return self.ask(name, "MX")

    def addresses(self, name: str, family: int) -> Deferred[Answer]:
        return self.ask(name, "AAAA" if family == socket.AF_INET6 else "A")

    def tlsa(self, name: str) -> Deferred[Answer]:
        return self.ask(name, "TLSA")

    def txt(self, name: str) -> Deferred[Answer]:
        return self.ask(name, "TXT")

    def srv(self, name: str) -> Deferred[Answer]:
        return self.ask(name, "SRV")

    def ns(self, name: str) -> Deferred[Answer]:
        return self.ask(name, "NS")

    def cname(self, name: str) -> Deferred[Answer]:
        return self.ask(name, "CNAME")

    def ptr(self, address: str) -> Deferred[Answer]:
        try:
            return self.ask(reverse_name(address), "PTR")
        except ValueError:
            return fail(failures.invalid(address, "PTR"))

    def search_list(self) -> Deferred[SearchList]:
        return self.config().addCallback(lambda config: SearchList(config.search, config.ndots))

    # For the process that has it.

    def reload(self) -> Deferred[Config]:
        """Forget all answers, read resolv.conf anew."""
        self._cache.clear()
        self._silent.clear()
        return self._config.read()

    def config(self) -> Deferred[Config]:
        """What resolv.conf says."""
        found = self._config.current()
        return found if isinstance(found, Deferred) else succeed(found)

    def ask(self, name: str, rtype: str) -> Deferred[Answer]:
        """Any question, by the name of its type. A name of "." is the root's."""
        key = (name.lower(), rtype)
        known = self._cache.get(key)
        if known is not None:
            return _fired(known)
        waiting = self._waiting.get(key)
        done: Deferred[Answer] = Deferred()
        if waiting is not None:
            waiting.append(done)
            return done
        if name != "." and not valid_name(name.encode("utf-8", "surrogateescape")):
            return fail(failures.invalid(name, rtype))
        self._waiting[key] = [done]
        if not self._ask_directly(name, rtype, key):
            self._work(name, rtype, key)
        return done

    # How it is done.

    def _ask_directly(self, name: str, rtype: str, key: tuple[str, str]) -> bool:
        """The usual case without a coroutine: the first server is one on this machine, and answers plainly. False: it
        is not. What comes of it otherwise goes the long way, with this answer as the first server's first one."""
        config = self._config.current()
        if isinstance(config, Deferred) or config.tcp or config.rotate or self._silent or not config.servers:
            return False
        server = config.servers[0]
        channel = self._channels.get(server)
        if channel is None or channel.busy >= _AT_ONCE:
            return False
        question = Question(name, rtype, self._ident(server))

        def told(result: bytes | NoReply) -> None:
            try:
                settled = None if isinstance(result, NoReply) else self._plainly(question, result)
            except Exception:  # a defect of ours, which the long way meets too, and tells
                settled = None
            if settled is not None:
                self._settle(settled, key)
            else:
                self._work(name, rtype, key, _First(server, question, result))

        channel.put(question, config.timeout, told)
        return True

    @staticmethod
    def _plainly(question: Question, data: bytes) -> tuple[Outcome, int] | None:
        """What an answer means that needs nothing more; None for others."""
        if question.truncated(data) or question.rcode(data) not in (NOERROR, NXDOMAIN):
            return None
        try:
            parsed = parse(data, question)
        except Malformed:
            return None
        if parsed.wrong or parsed.alias or parsed.broken:
            return None
        if parsed.answer is not None:
            return parsed.answer, parsed.answer.ttl
        return failures.none(parsed, question.name, question.rtype)

    def _work(self, name: str, rtype: str, key: tuple[str, str], first: _First | None = None) -> None:
        work = start(self._resolve(name, rtype, first))
        work.addErrback(self._unexpected, name, rtype)
        work.addCallback(self._settle, key)

    def _unexpected(self, failure: Any, name: str, rtype: str) -> tuple[Outcome, int]:
        """A defect of ours: whoever asks tries again, the log has it."""
        if self._log is not None:
            self._log.failure(f"DNS {name} {rtype}", failure.value)
        return failures.error(TryAgain, name, rtype), 0

    def _settle(self, result: tuple[Outcome, int], key: tuple[str, str]) -> None:
        outcome, ttl = result
        self._cache.put(key, outcome, min(ttl, LONGEST if isinstance(outcome, Answer) else LONGEST_FAILURE))
        for done in self._waiting.pop(key):
            if isinstance(outcome, Answer):
                done.callback(outcome)
            else:
                done.errback(failures.copy(outcome))

    async def _resolve(self, name: str, rtype: str, first: _First | None) -> tuple[Outcome, int]:
        """(answer or failure, seconds to keep it)."""
        longest = LONGEST
        asked = name
        for _ in range(_ALIASES):
            outcome, ttl, alias = await self._one(asked, rtype, first)
            first = None
            if not alias:
                return failures.renamed(outcome, name), min(ttl, longest)
            asked, longest = alias, min(ttl or longest, longest)
        return failures.error(TryAgain, name, rtype), 0

    async def _one(self, name: str, rtype: str, first: _First | None) -> tuple[Outcome, int, str]:
        """(outcome, lifetime, name to go on with)."""
        try:
            parsed = await self._exchange(name, rtype, first)
        except NoReply:
            return failures.error(TryAgain, name, rtype), 0, ""
        for kind, host in parsed.wrong:
            self._warn(f"malformed domain name in resource data of {kind} record for {name}: {host}")
        if parsed.answer is not None:
            return parsed.answer, parsed.answer.ttl, ""
        if parsed.wrong:
            return failures.error(BadAnswer, name, rtype, failures.MALFORMED), 60, ""
        if parsed.alias and parsed.rcode == NOERROR:
            return failures.error(NoData, name, rtype), parsed.negative_ttl, parsed.alias
        if parsed.broken:
            return failures.error(TryAgain, name, rtype, failures.MALFORMED), 0, ""
        return *failures.none(parsed, name, rtype), ""

    def _warn(self, text: str) -> None:
        if self._log is not None:
            self._log.warning(text)

    async def _exchange(self, name: str, rtype: str, first: _First | None) -> Parsed:
        """Ask the servers in turn. NoReply when none has said anything useful."""
        found = self._config.current()
        config = await found if isinstance(found, Deferred) else found
        servers = self._ordered(config)
        last: Parsed | None = None
        for attempt in range(config.attempts):
            timeout = config.timeout * (1 << attempt)
            for server in list(servers):
                try:
                    known = first if first is not None and not attempt and first.server == server else None
                    parsed = await self._ask_server(server, name, rtype, config, timeout, known)
                except NoReply as error:
                    if error.timed_out:
                        self._silent[server] = self._monotonic() + _LAST_FOR
                    continue
                if parsed.rcode in (NOERROR, NXDOMAIN):
                    return parsed
                last = parsed
                servers.remove(server)  # it has spoken, asking again is of no use
        if last is None:
            raise NoReply("no server answers", True)
        return last

    def _ordered(self, config: Config) -> list[Server]:
        servers = list(config.servers)
        if config.rotate and len(servers) > 1:
            first = self._random.randrange(len(servers))
            servers = servers[first:] + servers[:first]
        if self._silent:
            now = self._monotonic()
            self._silent = {server: until for server, until in self._silent.items() if until > now}
            servers.sort(key=lambda server: server in self._silent)
        return servers

    async def _ask_server(
        self, server: Server, name: str, rtype: str, config: Config, timeout: float, known: _First | None
    ) -> Parsed:
        """NoReply. `known`: it was asked, and this came of it."""
        question = known.question if known is not None else Question(name, rtype, self._ident(server))
        data = await self._send(server, question, config.tcp, timeout, known)
        if question.rcode(data) in (FORMERR, NOTIMP):  # perhaps it is EDNS that it does not know
            question = Question(name, rtype, self._ident(server), edns=False)
            data = await self._send(server, question, config.tcp, timeout)
        try:
            return parse(data, question)
        except Malformed as error:
            raise NoReply(str(error)) from error

    def _ident(self, server: Server) -> int:
        channel = self._channels.get(server)
        ident = self._random.randrange(65536)
        while channel is not None and channel.under_way(ident):
            ident = self._random.randrange(65536)
        return ident

    async def _send(
        self, server: Server, question: Question, tcp: bool, timeout: float, known: _First | None = None
    ) -> bytes:
        if not tcp:
            data = known.data if known is not None else await self._datagram(server, question, timeout)
            if isinstance(data, NoReply):
                raise data
            if not question.truncated(data):
                return data
        return await self._places.run(ask_stream, self._reactor, server, question, timeout)

    def _datagram(self, server: Server, question: Question, timeout: float) -> Deferred[bytes]:
        if not is_loopback(server.address):
            return self._places.run(ask_datagram, self._reactor, server, question, timeout)
        channel = self._channels.get(server)
        if channel is None:
            channel = self._channels[server] = Channel(self._reactor, server, self._linger)
        if channel.busy >= _AT_ONCE:  # more answers than its buffer may hold
            return self._places.run(ask_datagram, self._reactor, server, question, timeout)
        return channel.ask(question, timeout)


def _fired(outcome: Outcome) -> Deferred[Answer]:
    return succeed(outcome) if isinstance(outcome, Answer) else fail(failures.copy(outcome))
