"""dnssec_probe: whether the resolver validates at all, asked when the first answer is not validated (SM-3, TL-4).

DANE without a resolver that validates is silently no DANE, so the log says it once. `type:name` is what is asked; an
empty parameter trusts the resolver.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from pytwfix.contracts.dns import DnsError
from pytwfix.settings.common import CommonSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from pytwfix.contracts.dns import Answer
    from pytwfix.contracts.host import IHost, ILog

    Question = Callable[[str], Deferred[Answer]]


class DnssecProbe:
    """One for each that asks for validated answers."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._what = host.settings(CommonSettings).dnssec_probe
        self._asked = not self._what

    def unvalidated(self) -> None:
        """An answer that should have been validated perhaps was not."""
        if not self._asked:
            self._asked = True
            self._host.background(self._probe(), "dnssec_probe")

    async def _probe(self) -> None:
        log, what = self._host.log, self._what
        question, name = self._question()
        if question is None:
            log.warning(f"malformed dnssec_probe value: {what}")
            return
        try:
            answer = await question(name)
        except DnsError as error:
            _unavailable(log, f"dnssec_probe '{what}' received no response: {error.text}")
            return
        if not answer.validated:
            _unavailable(log, f"dnssec_probe '{what}' received a response that is not DNSSEC validated")

    def _question(self) -> tuple[Question | None, str]:
        resolver = self._host.resolver
        kinds: dict[str, Question] = {
            "mx": lambda name: resolver.mx(name),
            "ns": lambda name: resolver.ns(name),
            "txt": lambda name: resolver.txt(name),
            "tlsa": lambda name: resolver.tlsa(name),
            "a": lambda name: resolver.addresses(name, socket.AF_INET),
            "aaaa": lambda name: resolver.addresses(name, socket.AF_INET6),
        }
        kind, _, name = self._what.partition(":")
        return kinds.get(kind.strip().lower()), name.strip()


def _unavailable(log: ILog, reason: str) -> None:
    log.warning("DNSSEC validation may be unavailable")
    log.warning(f"reason: {reason}")
