"""smtp_reply_filter and smtp_delivery_status_filter: what a server says, and what it comes to, made another (SM-15).

Both take tables that answer at once: the reply filter has no time to wait. What does not look like a reply, or would
turn success into failure or back, is not used.
"""

from __future__ import annotations

import re

from pytwfix.contracts.host import ILog
from pytwfix.contracts.tables import TableError
from pytwfix.deliver.smtp import log
from pytwfix.dialogs.smtp_client_replies import Answer
from pytwfix.mail.status import Dsn
from pytwfix.tables.maps import Maps

_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\s+(\S.*)\Z", re.DOTALL)


class ReplyFilter:
    """False when there is none."""

    def __init__(self, maps: Maps, out: ILog) -> None:
        self._maps = maps
        self._log = out

    def __bool__(self) -> bool:
        return bool(self._maps)

    def apply(self, answer: Answer) -> Answer:
        """The answer with each of its lines as the table wants it; the last line's code decides."""
        lines = [self._line(line) for line in answer.lines]
        if lines == answer.lines:
            return answer
        code = lines[-1][:3]
        return Answer(int(code) if code.isdigit() else answer.code, lines)

    def _line(self, line: bytes) -> bytes:
        try:
            new = self._maps.get(line) if self._maps.direct else None
        except TableError:
            return line
        if not new or not new[:3].isdigit():
            return line
        log.reply_replaced(self._log, line.decode("utf-8", "replace"), new.decode("utf-8", "replace"))
        return new


class StatusFilter:
    """False when there is none."""

    def __init__(self, maps: Maps) -> None:
        self._maps = maps

    def __bool__(self) -> bool:
        return bool(self._maps)

    async def apply(self, dsn: Dsn) -> Dsn:
        """The status and text that stand for a delivery's own."""
        try:
            value = await self._maps.lookup(f"{dsn.status} {dsn.reason}".encode("utf-8", "surrogateescape"))
        except TableError:
            return dsn if dsn.success else Dsn("4.3.5", "Server configuration error")
        found = _STATUS.match((value or b"").decode("utf-8", "replace").strip())
        if found is None or (found[1][0] == "2") != dsn.success:
            return dsn
        return dsn._replace(status=found[1], reason=found[2])
