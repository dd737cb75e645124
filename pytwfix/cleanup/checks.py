"""header_checks and body_checks: what a matching line brings about (header_checks(5); INVENTORY CL-6 to CL-8).

`Checks.apply` gives the lines that go on in place of the one that was looked at. Each action has its log line. A
mail that is refused, discarded or passed is not looked at any further.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytwfix.cleanup import log
from pytwfix.contracts.tables import TableError
from pytwfix.mail.errors import MailError, queue_file_write_error
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.cleanup.transaction import Transaction
    from pytwfix.tables.maps import Maps

REJECTED = "message content rejected"
_DSN = re.compile(r"([45])\.\d{1,3}\.\d{1,3}(?=\s|\Z)")
_HEADER = re.compile(r"[!-9;-~]+\s*:")


class Checks:
    """The checks of one mail. `over` is set once nothing is to be looked at any more."""

    __slots__ = ("_mail", "over")

    def __init__(self, mail: Transaction) -> None:
        self._mail = mail
        self.over = False

    async def apply(self, maps: Maps, what: str, line: bytes) -> list[bytes]:
        """`what` is "header" or "body"; `line` has LF between its parts and none at its end. MailError: refused."""
        if self.over or not maps or not line:
            return [line]
        try:
            value = maps.get(line) if maps.direct else await maps.lookup(line)
        except TableError as error:
            log.map_problem(self._mail.log, self._mail.queue_id, maps.title)
            raise queue_file_write_error(str(error)) from error
        if value is None:
            return [line]
        return self._act(maps.title, what, line, value.decode("utf-8", "replace"))

    def _act(self, title: str, what: str, line: bytes, value: str) -> list[bytes]:
        word, _, argument = value.strip().partition(" ")
        word, argument = word.upper(), argument.strip()
        if word in ("DUNNO", "OK"):
            return [line]
        if word == "IGNORE":
            return []
        method = _ACTIONS.get(word)
        if method is None:
            log.unknown_action(self._mail.log, title, value)
            return [line]
        act: Callable[[str, str, bytes, str], list[bytes]] = getattr(self, method)
        return act(title, what, line, argument)

    def _log(self, action: str, what: str, line: bytes, argument: str) -> None:
        mail = self._mail
        log.check(mail.log, mail.queue_id, action, what, line, mail.context(), argument)

    def _bad(self, title: str, value: str, line: bytes) -> list[bytes]:
        log.bad_argument(self._mail.log, self._mail.queue_id, title, value)
        return [line]

    def _no_text(self, action: str, title: str, line: bytes) -> list[bytes]:
        log.no_text(self._mail.log, action, title)
        return [line]

    def _no_target(self, what: str, argument: str, title: str, line: bytes) -> list[bytes]:
        log.bad_target(self._mail.log, what, argument, title)
        return [line]

    def _warn(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        self._log("warning", what, line, argument)
        return [line]

    def _info(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        self._log("info", what, line, argument)
        return [line]

    def _pass(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        self._log("pass", what, line, argument)
        self.over = True
        return [line]

    def _reject(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        match = _DSN.match(argument)
        dsn = match.group() if match else "5.7.1"
        text = argument[match.end() :].strip() if match else argument
        text = text or REJECTED
        self._log("reject", what, line, f"{dsn} {text}")
        self.over = True
        self._mail.refuse(MailError(Reply(451 if dsn[0] == "4" else 550, dsn, text)))
        return [line]

    def _discard(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        self._log("discard", what, line, argument)
        self._mail.action("discard")
        self.over = True
        return [line]

    def _hold(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        if not self._mail.held:
            self._log("hold", what, line, argument)
            self._mail.action("hold")
        return [line]

    def _filter(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        if ":" not in argument:
            log.bad_filter(self._mail.log, argument, title)
            return [line]
        self._log("filter", what, line, argument)
        self._mail.action("filter", argument)
        return [line]

    def _redirect(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        if "@" not in argument:
            return self._no_target("REDIRECT target", argument, title, line)
        self._log("redirect", what, line, argument)
        self._mail.action("redirect", argument)
        self.over = True
        return [line]

    def _bcc(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        if "@" not in argument:
            return self._no_target("BCC address", argument, title, line)
        self._log("bcc", what, line, argument)
        self._mail.action("bcc", argument)
        return [line]

    def _strip(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        self._log("strip", what, line, argument)
        return []

    def _replace(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        if not argument:
            return self._no_text("REPLACE", title, line)
        if what == "header" and not _HEADER.match(argument):
            return self._bad(title, f"REPLACE {argument}", line)
        self._log("replace", what, line, argument)
        return [argument.encode("utf-8", "replace")]

    def _prepend(self, title: str, what: str, line: bytes, argument: str) -> list[bytes]:
        if not argument:
            return self._no_text("PREPEND", title, line)
        if what == "header" and not _HEADER.match(argument):
            return self._bad(title, f"PREPEND {argument}", line)
        self._log("prepend", what, line, argument)
        return [argument.encode("utf-8", "replace"), line]


_ACTIONS = {
    "BCC": "_bcc",
    "DISCARD": "_discard",
    "FILTER": "_filter",
    "HOLD": "_hold",
    "INFO": "_info",
    "PASS": "_pass",
    "PREPEND": "_prepend",
    "REDIRECT": "_redirect",
    "REJECT": "_reject",
    "REPLACE": "_replace",
    "STRIP": "_strip",
    "WARN": "_warn",
}
