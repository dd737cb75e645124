"""milter_header_checks: header_checks for the fields that filters add or change (MI-6).

The same actions, with log lines of their own. What no line can stand for in the middle of an edit is not done: PREPEND
and PASS. A field that is ignored or stripped leaves the header as it was.
"""

from __future__ import annotations

from pytwfix.cleanup import log
from pytwfix.cleanup.checks import Checks

_SHOWN = 60


class MilterChecks(Checks):
    """The checks of one mail's edits."""

    __slots__ = ()

    async def field(self, line: bytes) -> bytes | None:
        """The field to take in place of `line`, without its line end; None: the edit is not made."""
        lines = await self.apply(self._mail.config.milter_header_checks, "header", line)
        return lines[0] if lines else None

    def _log(self, action: str, what: str, line: bytes, argument: str) -> None:
        mail = self._mail
        shown = line[:_SHOWN].replace(b"\r\n", b"\n")
        log.check(mail.log, mail.queue_id, f"milter-{what}-{action}", what, shown, mail.context(), argument)

    def _prepend(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        super()._prepend(title, what, line, argument)
        log.no_prepend(self._mail.log)
        return [line]

    def _pass(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        log.unsupported_action(self._mail.log, title, f"PASS {argument}".rstrip())
        return [line]
