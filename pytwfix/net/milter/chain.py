"""All filters of a session, in the order of the list (MI-8): contracts/milters.py's IMilters.

The first that does not say `continue` decides; those behind it are not asked. A filter is reached when the session
begins; none is ever reached a second time.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, DeferredList

from pytwfix.basics.tasks import fired, start
from pytwfix.contracts.milters import IFilteredMail, IMacros, Verdict
from pytwfix.dialogs import milter as wire
from pytwfix.net.milter.filter import MilterFilter

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.net.milter.filters import Filter
    from pytwfix.net.milter.macros import MacroLists


class Milters:
    """`values` says what the macros of this session are."""

    __slots__ = ("_filters", "_lists", "_open")

    def __init__(self, host: IHost, filters: Sequence[Filter], lists: MacroLists, values: IMacros) -> None:
        self._filters = [MilterFilter(host, one, lists, values) for one in filters]
        self._lists = lists
        self._open = False

    # -- the session -----------------------------------------------------------------------------------------------

    def connect(self, name: str, address: str, port: str) -> Deferred[Verdict | None]:
        return start(self._connect(connect_data(name, address, port)))

    async def _connect(self, data: bytes) -> Verdict | None:
        if not self._open:
            self._open = True
            await DeferredList([start(one.open()) for one in self._filters])
        return await self._tell(wire.CONNECT, data)

    def helo(self, name: str) -> Deferred[Verdict | None]:
        return self._event(wire.HELO, wire.strings(name.encode("utf-8", "surrogateescape")))

    def mail(self, words: list[bytes]) -> Deferred[Verdict | None]:
        for one in self._filters:
            one.begin_mail()
        return self._event(wire.MAIL, wire.strings(*words))

    def rcpt(self, words: list[bytes], refused: bool = False) -> Deferred[Verdict | None]:
        return self._event(wire.RCPT, wire.strings(*words), refused)

    def data(self) -> Deferred[Verdict | None]:
        return self._event(wire.DATA, b"")

    def unknown(self, line: bytes) -> Deferred[Verdict | None]:
        return self._event(wire.UNKNOWN, wire.strings(line))

    def message(self, mail: IFilteredMail) -> Deferred[Verdict | None]:
        return start(self._message(mail))

    def abort(self) -> None:
        for one in self._filters:
            one.abort()

    def close(self) -> None:
        for one in self._filters:
            one.close()

    def uses(self, command: bytes, *names: str) -> bool:
        """Whether any filter is to be told one of these macros with a command: `{mail_addr}`, ..."""
        for one in self._filters:
            if one.wants(command) and not set(names).isdisjoint(self._lists.names(command, one.agreement)):
                return True
        return False

    @property
    def refused_recipients(self) -> bool:
        """Whether any filter wants to hear of recipients that were refused."""
        return any(one.agreement is not None and one.agreement.refused_recipients for one in self._filters)

    # -- in order --------------------------------------------------------------------------------------------------

    def _event(self, command: bytes, data: bytes, refused: bool = False) -> Deferred[Verdict | None]:
        for one in self._filters:
            if one.wants(command):
                return start(self._tell(command, data, refused))
        return fired(self._standing())

    def _standing(self) -> Verdict | None:
        for one in self._filters:
            if one.standing is not None:
                return one.standing
        return None

    async def _tell(self, command: bytes, data: bytes, refused: bool = False) -> Verdict | None:
        for one in self._filters:
            if refused and not (one.agreement is not None and one.agreement.refused_recipients):
                continue
            verdict = await one.event(command, data) if one.wants(command) else one.standing
            if verdict is not None:
                return verdict
        return None

    async def _message(self, mail: IFilteredMail) -> Verdict | None:
        held: Verdict | None = None
        for one in self._filters:
            verdict = await one.message(mail) if one.wants(wire.END_OF_BODY) else one.standing
            if verdict is not None and verdict.kind != "hold":
                return verdict
            held = held or verdict
        return held


def connect_data(name: str, address: str, port: str) -> bytes:
    """hostname, family, port, address; an address that is unknown is family U."""
    head = wire.strings(name.encode("utf-8", "surrogateescape"))
    number = struct.pack("!H", int(port) if port.isdecimal() and int(port) < 65536 else 0)
    for family, letter in ((socket.AF_INET, b"4"), (socket.AF_INET6, b"6")):
        try:
            socket.inet_pton(family, address)
        except OSError:
            continue
        return head + letter + number + wire.strings(address.encode())
    return head + b"U"
