"""Mail filters: what smtpd asks of them during a session, and cleanup when a mail is complete (MI-1 to MI-8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pytwfix.contracts.host import ILog
    from pytwfix.dialogs.milter import Edit

REJECT, DISCARD, HOLD = "reject", "discard", "hold"  # as in log lines: milter-reject, ...


class Verdict(NamedTuple):
    """What filters decided. `reply` of a reject; it hangs up when the session is to end. `words`: as the filter put it,
    line ends and all."""

    kind: str
    reply: Reply | None = None
    words: str = ""

    @property
    def text(self) -> str:
        """For the log, in one line."""
        if self.reply is None:
            return f"milter triggers {self.kind.upper()} action"
        return self.words.replace("\r", "?").replace("\n", "?") or self.reply.line()


class IMacros(Protocol):
    """Where the values of macros come from: `name` without braces; None or "" when there is none."""

    def macro(self, name: str) -> str | None: ...


class IFilteredMail(Protocol):
    """A complete mail that filters look at, one after the other: each sees what the one before made of it."""

    log: ILog
    """Of the room that asks: where to say what is wrong with a filter."""

    leading_space: bool
    """Set by the filter at work: values begin with the space after the colon, in both directions."""

    def fields(self) -> list[tuple[bytes, bytes]]:
        """Name and value of each header field as it stands: the value with what follows the colon, lines by LF."""

    def body(self, size: int) -> AsyncIterator[bytes]:
        """The body in pieces of that size; only the last one is shorter."""

    def edit(self, edit: Edit) -> Deferred[None] | None:
        """Change the mail. MailError: it is refused."""

    def replaced(self, kept: bool) -> None:
        """The filter has ended: whether the new body, if it gave one, stands."""


class IMilters(Protocol):
    """The filters of one session, in order. A Deferred fires with the first verdict, or None: go on. Never an errback
    for what a filter does."""

    def connect(self, name: str, address: str, port: str) -> Deferred[Verdict | None]: ...
    def helo(self, name: str) -> Deferred[Verdict | None]: ...
    def mail(self, words: list[bytes]) -> Deferred[Verdict | None]:
        """The address as it was given, then its parameters."""

    def rcpt(self, words: list[bytes], refused: bool = False) -> Deferred[Verdict | None]: ...
    def data(self) -> Deferred[Verdict | None]: ...
    def unknown(self, line: bytes) -> Deferred[Verdict | None]: ...
    def message(self, mail: IFilteredMail) -> Deferred[Verdict | None]:
        """The content, and what becomes of it."""

    def abort(self) -> None:
        """The mail under way is over, in whatever way."""

    def close(self) -> None: ...
