"""The work of posttls-finger: look-ups by the SMTP client's own rooms, then one server after the other (TF-1)."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from OpenSSL import SSL
from twisted.internet.defer import Deferred

from pytwfix.commands.fingerdialog import Ended, Peer
from pytwfix.commands.fingertrust import Wanted, chain_of, chain_text, judge
from pytwfix.commands.posttlsfinger import Request
from pytwfix.contracts.dns import TLSA
from pytwfix.deliver.smtp import dane, hosts
from pytwfix.deliver.smtp.configuration import Configuration
from pytwfix.deliver.smtp.failures import Trouble
from pytwfix.deliver.smtp.hosts import Server
from pytwfix.deliver.smtp.nexthop import Destination
from pytwfix.deliver.smtp.tls import ClientMaterial
from pytwfix.logs.destinations import WARNING
from pytwfix.net.tls.ciphers import cipher_list
from pytwfix.net.tls.contexts import ContextError, client_context
from pytwfix.settings.kinds import SettingsError

Say = Callable[[str], None]
_DANE = ("", "dane", "dane-only")


class Target(NamedTuple):
    """A server, and the TLSA records that count for it. `trouble`: why it is not to be asked."""

    server: Server
    tlsa: tuple[TLSA, ...] = ()
    trouble: str = ""


class _Lines:
    """logs/destinations.py: what the rooms warn of is shown."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def write(self, tag: str, level: int, text: str) -> None:
        if level <= WARNING:
            self._say(text)

    def flush(self) -> None:
        """Nothing is kept back."""

    def reopen(self) -> None:
        """There is nothing to open."""


def finger(request: Request, say: Say) -> int:
    """The exit status."""
    work = Finger(request, say)
    try:
        work.look_up()
        work.ask()
    except (Trouble, ContextError, SettingsError, ValueError, OSError) as error:
        text = error.dsn.reason if isinstance(error, Trouble) else str(error)
        say(f"Failed to establish session to {request.destination}: {text}")
    return 0


class Finger:
    """`look_up` runs a reactor, `ask` blocks."""

    def __init__(self, request: Request, say: Say) -> None:
        self._request = request
        self._say = say
        self._targets: list[Target] = []
        self._destination: Destination
        self._context: SSL.Context
        self._cfg: Any = None
        self._session: Any = None

    # -- look-ups

    def look_up(self) -> None:
        from twisted.internet import reactor

        loop: Any = reactor
        failed: list[BaseException] = []

        def begin() -> None:
            done: Any = Deferred.fromCoroutine(self._look_up(loop))
            done.addErrback(lambda failure: failed.append(failure.value))
            done.addBoth(lambda _: loop.stop())

        loop.callWhenRunning(begin)
        loop.run(installSignalHandlers=True)
        if failed:
            raise failed[0]

    async def _look_up(self, reactor: Any) -> None:
        host, stop = _host(reactor, self._request, self._say)
        try:
            config = Configuration(host, self._request.lmtp)
            self._cfg = config.cfg
            self._destination = config.destinations(self._request.destination)[0]
            self._context = await self._make_context(config)
            if self._destination.path:
                path = self._destination.path
                self._targets = [Target(Server("localhost", "", 0, path=path))]
                return
            for server in await hosts.find(config, self._destination):
                self._targets.append(await self._with_records(config, server))
        finally:
            stop()

    async def _with_records(self, config: Configuration, server: Server) -> Target:
        if self._request.level not in _DANE:
            return Target(server)
        try:
            policy = await dane.resolve(config, config.policies.made(self._request.level or "dane"), server)
        except Trouble as trouble:
            return Target(server, trouble=trouble.dsn.reason)
        return Target(server, policy.tlsa)

    async def _make_context(self, config: Configuration) -> SSL.Context:
        cfg = config.cfg
        chains, authorities = await ClientMaterial(config).read()
        anchors = [await config.host.secret(path) for path in self._request.anchors]
        excluded = [] if self._request.level in ("none", "may", "encrypt") else ["aNULL"]
        return client_context(
            cfg, protocols=cfg.smtp_tls_mandatory_protocols,
            ciphers=cipher_list(cfg, cfg.smtp_tls_mandatory_ciphers, cfg.smtp_tls_mandatory_exclude_ciphers, *excluded),
            chains=chains, authorities=b"\n".join(anchors) if anchors else authorities,
            directory="" if anchors else cfg.smtp_tls_CApath, depth=cfg.smtp_tls_scert_verifydepth,
        )  # fmt: skip

    # -- servers

    def ask(self) -> None:
        """The first server that answers; again with -r."""
        for target in self._targets:
            text = target.trouble or self._one(target)
            if not text:
                return
            self._say(f"Failed to establish session to {self._request.destination} via {target.server.host}: {text}")

    def _one(self, target: Target) -> str:
        """Why there is no connection, or nothing."""
        names: set[str] = set()
        for count in range(self._request.most + 1):
            try:
                connection = self._connect(target.server)
            except OSError as error:
                return f"connect to {target.server.relay}: {error.strerror or error}"
            name = self._talk(Peer(connection, target.server.relay, self._chat), target)
            if not self._request.delay or self._session is None:
                break
            if name in names:
                self._say("Found a previously used server.  Done reconnecting.")
                break
            names.add(name)
            if count < self._request.most:
                self._say(f"Reconnecting after {self._request.delay} seconds")
                time.sleep(self._request.delay)
        return ""

    def _connect(self, server: Server) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX if server.path else server.family)
        try:
            connection.settimeout(self._request.connect_patience)
            connection.connect(server.path or (server.address, server.port))
        except BaseException:
            connection.close()
            raise
        self._chat(f"Connected to {server.relay}")
        return connection

    def _chat(self, line: str) -> None:
        if self._request.chat:
            self._say(line)

    def _talk(self, peer: Peer, target: Target) -> str:
        """The name by which the server greets, with or without TLS."""
        name = ""
        try:
            name = self._dialog(peer, target)
        except Ended as reason:
            self._say(str(reason))
        finally:
            peer.close()
        return name

    def _dialog(self, peer: Peer, target: Target) -> str:
        request = self._request
        if request.wrapped:
            self._start_tls(peer, target)
        code, lines = peer.reply(request.connect_patience)
        if code != 220:
            raise Ended(f"Server greeting was not 220: {lines[0]}")
        words = self._hello(peer)
        if not request.wrapped and request.level != "none":
            if "STARTTLS" not in [word[4:].partition(" ")[0].upper() for word in words[1:]]:
                self._say(f"{peer.relay} did not offer STARTTLS")
            else:
                code, lines = peer.ask("STARTTLS", request.patience)
                if code != 220:
                    raise Ended(f"STARTTLS rejected: {lines[0]}")
                self._start_tls(peer, target)
                words = self._hello(peer)
        if request.delay and peer.tls is not None:
            self._session = peer.tls.get_session()
        peer.ask("QUIT", request.patience)
        return words[0][4:].partition(" ")[0]

    def _hello(self, peer: Peer) -> list[str]:
        verb = "LHLO" if self._request.lmtp else "EHLO"
        code, lines = peer.ask(f"{verb} {self._cfg.smtp_helo_name}", self._request.patience)
        if code != 250:
            raise Ended(f"{verb} rejected: {lines[0]}")
        return lines

    def _start_tls(self, peer: Peer, target: Target) -> None:
        wanted = self._wanted(target)
        known = self._session
        name = target.server.host if target.tlsa else self._request.servername

        def prepare(connection: SSL.Connection) -> None:
            if name:
                connection.set_tlsext_host_name(name.encode("ascii", "replace"))
            if known is not None:
                connection.set_session(known)

        peer.start_tls(self._context, prepare, self._request.patience)
        assert peer.tls is not None
        logged = self._request.logged
        if known is not None:
            from pytwfix.net.tls.sessions import reused

            self._say(
                f"{peer.relay}: " + ("Reusing old session" if reused(peer.tls) else "the session was not taken up")
            )
            logged = frozenset(("summary",))
        for kind, line in judge(peer.tls, wanted, peer.relay).lines:
            if kind in logged and (kind != "peercert" or "summary" in logged or "peercert" in self._request.logged):
                self._say(line)
        if self._request.chain and known is None:
            sys.stderr.flush()
            sys.stdout.write(chain_text(chain_of(peer.tls), wanted.digest))
            sys.stdout.flush()

    def _wanted(self, target: Target) -> Wanted:
        level, nexthop = self._request.level, self._destination.host
        if level in _DANE and not target.tlsa:
            level = "secure"
        default: tuple[str, ...] = ()
        if level == "verify":
            default = (target.server.host,)
        elif level == "secure":
            default = (nexthop, "." + nexthop)
        labels = self._cfg.tls_wildcard_matches_multiple_labels
        digest = self._cfg.smtp_tls_fingerprint_digest
        names = (target.server.host, nexthop)
        return Wanted(level or "dane", self._request.match or default, digest, target.tlsa, names, labels)


def _host(reactor: Any, request: Request, say: Say) -> tuple[Any, Callable[[], None]]:
    """An IHost for the SMTP client's rooms, and what ends it."""
    from pytwfix.master.host import ServiceHost
    from pytwfix.master.network import attach_network
    from pytwfix.master.plan import Plan
    from pytwfix.master.process import Process
    from pytwfix.settings.maincf import config_directory, read_main
    from pytwfix.settings.mastercf import Service

    directory = config_directory("")
    program = "lmtp" if request.lmtp else "smtp"
    service = Service(program, "unix", program)
    service.overrides.update(request.overrides)
    process = Process(reactor, _Lines(say))
    attach_network(process)
    host = ServiceHost(process, Plan(directory, read_main(directory), [service]), service, None)
    return host, process.stop
