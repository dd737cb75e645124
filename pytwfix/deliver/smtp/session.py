"""What is known of one connection to a server, from the greeting to QUIT (SM-6, SM-10)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pytwfix.deliver.smtp import failures, log
from pytwfix.deliver.smtp.failures import Trouble
from pytwfix.deliver.smtp.requiretls import DISABLE
from pytwfix.deliver.smtp.transcript import Transcript, breaks_rules
from pytwfix.deliver.smtp.wire import Gone
from pytwfix.dialogs.smtp_client import Stage
from pytwfix.dialogs.smtp_client_hello import Features

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.hosts import Server
    from pytwfix.deliver.smtp.wire import Wire
    from pytwfix.dialogs.smtp_client_replies import Answer
    from pytwfix.mail.status import Dsn
    from pytwfix.mail.tlsrpt import Fault
    from pytwfix.net.tls.contexts import TlsInfo


class Session:
    """A connection, the server at its other end, and what that can do."""

    __slots__ = (
        "authenticated",
        "before_end",
        "born",
        "config",
        "eight_bit",
        "fault",
        "features",
        "host",
        "keys",
        "namaddr",
        "own",
        "pipelining",
        "pix",
        "place",
        "relay",
        "requiretls",
        "reusable_tls",
        "server",
        "size",
        "takes_dsn",
        "tls",
        "tls_level",
        "transcript",
        "uses",
        "wire",
    )

    def __init__(self, config: Configuration, server: Server, wire: Wire, place: str) -> None:
        """`place` is the destination's host."""
        self.config = config
        self.server = server
        self.wire = wire
        self.place = place
        self.host = server.host
        self.namaddr = server.namaddr
        self.relay = server.relay
        self.features = Features()
        self.pipelining = self.takes_dsn = self.eight_bit = False
        self.size = 0
        self.uses = 0
        self.born = config.host.monotonic()
        self.tls: TlsInfo | None = None
        self.tls_level = "none"
        self.fault: Fault | None = None  # what a report on TLS says of it
        self.requiretls = ""  # what the mail that it was opened for wants of REQUIRETLS
        self.own = _own_address(wire) if config.tlsrpt is not None else ""
        self.reusable_tls = False
        self.authenticated = False
        self.before_end: Callable[[], None] | None = None
        self.pix: frozenset[str] = frozenset()
        self.keys: tuple[Any, ...] = ()
        self.transcript: Transcript | None = None
        wire.client.complain_to(partial(log.too_long, config.host.log, self.relay, config.cfg.line_length_limit))
        if config.replies:
            wire.client.edit = config.replies.apply
        if config.notifies:
            self.transcript = wire.client.tape = Transcript(config, self.relay)

    @property
    def tls_feature(self) -> str:
        """The tls= field: the level that was wanted, and what came of it if that is less (SM-18)."""
        level = self.tls_level
        if self.tls is None and level != "none":
            level += ":none"
        return level + "/requiretls" if self.passes_requiretls else level

    @property
    def passes_requiretls(self) -> bool:
        """Whether the mail is passed on with its wish."""
        wanted = self.requiretls and self.requiretls != DISABLE
        return bool(wanted) and self.tls is not None and "REQUIRETLS" in self.features

    def learn(self, features: Features) -> None:
        """What the server can do, by its last answer to EHLO."""
        self.features = features
        self.pipelining = "PIPELINING" in features
        self.takes_dsn = "DSN" in features
        self.eight_bit = "8BITMIME" in features or "SMTPUTF8" in features  # RFC 6531 section 3.6
        self.size = features.size

    async def ask(self, line: bytes, stage: Stage) -> Answer:
        """A command and its answer. Trouble: the connection has ended."""
        self.wire.client.command(line, stage)
        return await self.answer(stage)

    async def answer(self, stage: Stage) -> Answer:
        try:
            return await self.wire.answer(self.config.limits[stage])
        except Gone as gone:
            raise Trouble(self.gone(gone.stage), self.relay) from None

    def gone(self, stage: Stage) -> Dsn:
        return failures.gone(self.namaddr, self.wire.gone, stage)

    def refused(self, answer: Answer, soften: bool = False) -> Trouble:
        """The server does not want to talk to us."""
        self._judge(answer)
        return Trouble(failures.refused(self.host, self.namaddr, answer, soften), self.relay)

    def _judge(self, answer: Answer) -> None:
        if self.transcript is not None and breaks_rules(answer):
            self.transcript.notable = True

    def said(self, stage: Stage, answer: Answer) -> Dsn:
        self._judge(answer)
        return failures.said(self.host, self.namaddr, stage, answer)

    @property
    def worn(self) -> bool:
        """Whether it must not be used for another mail."""
        config = self.config
        if self.wire.gone or self.wire.client.surplus or (self.tls is not None and not self.reusable_tls):
            return True
        if config.reuse_count and self.uses >= config.reuse_count:
            return True
        return config.host.monotonic() - self.born >= config.reuse_time

    def close(self) -> None:
        """Say QUIT, if anybody is there to hear it; nobody waits for us."""
        wire, before = self.wire, self.before_end
        if wire.gone:
            self._report()
            wire.abort()
            return
        if before is not None:
            self.before_end = None
            before()
        limit = self.config.limits[Stage.QUIT]
        wire.client.command(b"QUIT", Stage.QUIT)
        wire.flush()
        self._report()
        if self.config.skip_quit:
            wire.hang_up(limit)
        else:
            wire.listen(self._farewell)
            wire.limit(limit)

    def _report(self) -> None:
        """To the postmaster, if there is something to tell."""
        if self.transcript is not None and self.transcript.notable:
            self.transcript.post()

    def reset(self, then: Callable[[Session], None]) -> None:
        """Have the server forget the mail that was begun; `then` when it has, else the session ends."""
        wire = self.wire
        wire.client.command(b"RSET", Stage.RSET)
        wire.flush()
        wire.listen(lambda: self._reset_done(then))
        wire.limit(self.config.limits[Stage.RSET])

    def _reset_done(self, then: Callable[[Session], None]) -> None:
        found = self.wire.client.next_reply()
        if found is not None and found[1].kind == 2:
            then(self)
        elif found is not None or self.wire.gone:
            self.close()

    def _farewell(self) -> None:
        wire = self.wire
        while (found := wire.client.next_reply()) is not None:
            if found[0] is Stage.QUIT:
                wire.hang_up(self.config.limits[Stage.QUIT])
                return
        if wire.gone:
            wire.abort()


def _own_address(wire: Wire) -> str:
    """Where the connection comes from, as reports on TLS have it; "" on a UNIX socket."""
    host = wire.transport.getHost() if wire.transport is not None and not wire.lost else None
    return str(getattr(host, "host", ""))
