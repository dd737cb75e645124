"""The resolver: questions to the servers of resolv.conf, answers kept by their lifetime (SM-3, SD-36; RFC 1035).

Failures are typed as contracts/dns.py has them, with Postfix's words. A server that is silent, refuses or fails is
followed by the next one; who did not answer goes last for a while. Equal questions that are under way are one. A
message that is truncated is asked for again over TCP. CNAMEs are followed also where the server did not.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredSemaphore, fail, succeed

from pytwfix.basics.tasks import start
from pytwfix.contracts.dns import Answer, BadAnswer, DnsError, NoData, NoSuchName, SearchList, TryAgain
from pytwfix.mail.hostnames import valid_name
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
_NOT_FOUND = "Host or domain name not found. "
_WORDS = {
    NoSuchName: "Host not found",
    NoData: "Host found but no data record of requested type",
    TryAgain: "Host not found, try again",
    BadAnswer: "Non-recoverable error",
}
_MALFORMED = "Malformed or unexpected name server reply"


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
            return fail(_invalid(address, "PTR"))

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
            return fail(_invalid(name, rtype))
        self._waiting[key] = [done]
        work = start(self._resolve(name, rtype))
        work.addErrback(self._unexpected, name, rtype)
        work.addCallback(self._settle, key)
        return done

    # How it is done.

    def _unexpected(self, failure: Any, name: str, rtype: str) -> tuple[Outcome, int]:
        """A defect of ours: whoever asks tries again, the log has it."""
        if self._log is not None:
            self._log.failure(f"DNS {name} {rtype}", failure.value)
        return _error(TryAgain, name, rtype), 0

    def _settle(self, result: tuple[Outcome, int], key: tuple[str, str]) -> None:
        outcome, ttl = result
        self._cache.put(key, outcome, min(ttl, LONGEST if isinstance(outcome, Answer) else LONGEST_FAILURE))
        for done in self._waiting.pop(key):
            _fired(outcome).chainDeferred(done)

    async def _resolve(self, name: str, rtype: str) -> tuple[Outcome, int]:
        """(answer or failure, seconds to keep it)."""
        longest = LONGEST
        asked = name
        for _ in range(_ALIASES):
            outcome, ttl, alias = await self._one(asked, rtype)
            if not alias:
                return _renamed(outcome, name), min(ttl, longest)
            asked, longest = alias, min(ttl or longest, longest)
        return _error(TryAgain, name, rtype), 0

    async def _one(self, name: str, rtype: str) -> tuple[Outcome, int, str]:
        """(outcome, lifetime, name to go on with)."""
        try:
            parsed = await self._exchange(name, rtype)
        except NoReply:
            return _error(TryAgain, name, rtype), 0, ""
        for kind, host in parsed.wrong:
            self._warn(f"malformed domain name in resource data of {kind} record for {name}: {host}")
        if parsed.answer is not None:
            return parsed.answer, parsed.answer.ttl, ""
        if parsed.wrong:
            return _error(BadAnswer, name, rtype, _MALFORMED), 60, ""
        if parsed.alias and parsed.rcode == NOERROR:
            return _error(NoData, name, rtype), parsed.negative_ttl, parsed.alias
        if parsed.broken:
            return _error(TryAgain, name, rtype, _MALFORMED), 0, ""
        error = _error(_kind(parsed.rcode), name, rtype)
        error.ttl = parsed.negative_ttl
        return error, parsed.negative_ttl, ""

    def _warn(self, text: str) -> None:
        if self._log is not None:
            self._log.warning(text)

    async def _exchange(self, name: str, rtype: str) -> Parsed:
        """Ask the servers in turn. NoReply when none has said anything useful."""
        found = self._config.current()
        config = await found if isinstance(found, Deferred) else found
        servers = self._ordered(config)
        last: Parsed | None = None
        for attempt in range(config.attempts):
            timeout = config.timeout * (1 << attempt)
            for server in list(servers):
                try:
                    parsed = await self._ask_server(server, name, rtype, config, timeout)
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

    async def _ask_server(self, server: Server, name: str, rtype: str, config: Config, timeout: float) -> Parsed:
        """NoReply."""
        question = Question(name, rtype, self._ident(server))
        data = await self._send(server, question, config.tcp, timeout)
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

    async def _send(self, server: Server, question: Question, tcp: bool, timeout: float) -> bytes:
        if not tcp:
            data = await self._datagram(server, question, timeout)
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


def _kind(rcode: int) -> type[DnsError]:
    if rcode == NOERROR:
        return NoData
    if rcode == NXDOMAIN:
        return NoSuchName
    return BadAnswer if rcode == FORMERR else TryAgain


def _error(kind: type[DnsError], name: str, rtype: str, words: str = "") -> DnsError:
    head = "" if words else _NOT_FOUND
    return kind(name, rtype, f"{head}Name service error for name={name} type={rtype}: {words or _WORDS[kind]}")


def _invalid(name: str, rtype: str) -> NoSuchName:
    return NoSuchName(name, rtype, f"{_NOT_FOUND}Name service error for {name}: invalid host or domain name")


def _renamed(outcome: Outcome, name: str) -> Outcome:
    """A failure behind a CNAME is told by the name that was asked for."""
    if isinstance(outcome, Answer) or outcome.name == name:
        return outcome
    return _copy(outcome, name)


def _copy(error: DnsError, name: str = "") -> DnsError:
    text = error.text.replace(f"name={error.name} ", f"name={name} ", 1) if name else error.text
    new = type(error)(name or error.name, error.rtype, text)
    new.ttl = error.ttl
    return new


def _fired(outcome: Outcome) -> Deferred[Answer]:
    # An exception of its own for everyone: raising one again and again would make its traceback grow.
    return succeed(outcome) if isinstance(outcome, Answer) else fail(_copy(outcome))
