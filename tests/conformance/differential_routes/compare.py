"""Two mail systems with the same random routing, each with a sink and a name server of its own."""

from __future__ import annotations

from random import Random

from tests.conformance.differential_mail.compare import Outcome, Side, sent
from tests.conformance.differential_routes import worlds
from tests.conformance.differential_routes.known import known
from tests.kit.mailsystem import INLINE, POSTFIX
from tests.kit.privatedns import PrivateDns
from tests.kit.waiting import free_port

_SECOND = "smtp2 unix - - n - - smtp\n    -o syslog_name=postfix/second"


class RouteSide(Side):
    """One system with routes."""

    def furnish(self, random: Random) -> tuple[dict[str, str], dict[str, str]]:
        main = worlds.settings(random, self.sink.port)
        tables = {name: text.replace("PORT", str(self.sink.port)) for name, text in worlds.tables(random).items()}
        self.lines = [f"127.0.0.1:{self.ports[0]} inet n - n - - smtpd", _SECOND]
        self.chosen = {name: value for name, value in main.items() if value != worlds.MAIN.get(name)}
        self.tables = tables
        return main, tables

    def where(self, at: int) -> str:
        return f"{self.chosen}\n" + "".join(f"{name}:\n{text}" for name, text in self.tables.items())


def round_of(seed: int, count: int) -> Outcome:
    """New routes from a seed, and so many mails."""
    sides: dict[str, Side] = {}
    servers: list[PrivateDns] = []
    try:
        for kind in (POSTFIX, INLINE):
            servers.append(PrivateDns(worlds.ZONE))
            sides[kind] = RouteSide(kind, [free_port()], seed, servers[-1].prefix)
        return sent(sides, count, seed, worlds.mail, known)
    finally:
        for side in sides.values():
            side.close()
        for server in servers:
            server.close()
