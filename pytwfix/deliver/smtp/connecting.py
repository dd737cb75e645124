"""A connection to one server (SM-4, SM-19). Trouble 4.4.1: there is none, `connect to host[addr]:port: reason`."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure

from pytwfix.basics.socketpath import reachable
from pytwfix.basics.windowsize import set_window
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.failures import Trouble, connect_text
from pytwfix.deliver.smtp.wire import Wire
from pytwfix.mail.hostnames import valid_ipv4, valid_ipv6
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.hosts import Server


class _Once(ClientFactory):
    """Makes the one protocol, and says what became of it."""

    noisy = False

    def __init__(self, config: Configuration) -> None:
        self.done: Deferred[Wire] = Deferred()
        self._config = config

    def buildProtocol(self, addr: Any) -> Wire:
        cfg = self._config.cfg
        done = self.done
        limit = cfg.line_length_limit
        return Wire(self._config.host, done.callback, cfg.smtp_per_request_deadline, cfg.smtp_min_data_rate, limit)

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self.done.errback(reason)


async def connect(config: Configuration, server: Server) -> Wire:
    """The connection, at the moment that it stands."""
    if server.path:
        return await _attempt(config, server, "")
    source = await _source(config, server)
    try:
        return await _attempt(config, server, source)
    except error.ConnectBindError as problem:
        log.not_bound(config.host.log, source, connect_text(problem))
        if config.cfg.smtp_bind_address_enforce:
            raise Trouble(Dsn("4.3.5", f"server configuration error: bind {source}: {connect_text(problem)}")) from None
    return await _attempt(config, server, "")


async def _source(config: Configuration, server: Server) -> str:
    ipv6 = server.family == socket.AF_INET6
    source = await config.source(ipv6)
    if source and not (valid_ipv6 if ipv6 else valid_ipv4)(source.encode("utf-8", "replace")):
        name = f"{'lmtp' if config.lmtp else 'smtp'}_bind_address{'6' if ipv6 else ''}"
        log.bad_bind_address(config.host.log, name, source)
        if config.cfg.smtp_bind_address_enforce:
            raise Trouble(Dsn("4.3.5", "server configuration error"))
        return ""
    return source


async def _attempt(config: Configuration, server: Server, source: str) -> Wire:
    cfg, reactor = config.cfg, config.host.reactor
    factory = _Once(config)
    timeout = cfg.smtp_connect_timeout or None
    try:
        if server.path:
            # The name must hold until the connection stands: Twisted connects in a later turn.
            with reachable(os.path.join(cfg.queue_directory, server.path)) as path:
                reactor.connectUNIX(path, factory, timeout)
                return await factory.done
        bound = (source, 0) if source else None
        connector: Any = reactor.connectTCP(server.address, server.port, factory, timeout, bound)
        if cfg.tcp_windowsize:
            set_window(connector.transport.socket, cfg.tcp_windowsize)  # it connects in a later turn
        return await factory.done
    except error.ConnectBindError:
        raise
    except Exception as problem:
        reason = f"connect to {server.relay}: {connect_text(problem)}"
        log.not_connected(config.host.log, reason)
        raise Trouble(Dsn("4.4.1", reason)) from None
