"""smtp_reply_filter: what a server says, made another (SM-15).

It takes tables that answer at once: there is no time to wait. What does not look like a reply is not used.
"""

from __future__ import annotations

from pytwfix.contracts.host import ILog
from pytwfix.contracts.tables import TableError
from pytwfix.deliver.smtp import log
from pytwfix.dialogs.smtp_client_replies import Answer
from pytwfix.tables.maps import Maps


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
