"""What was said in a session: mailed to the postmaster when something went wrong, or logged (SD-56, SV-8).

notify_classes says what is worth a mail: policy (a refusal), bounce (mail that nobody takes: for an unknown user, too
large, with too many hops), protocol (a client that breaks the rules), resource (we are short of something), software (a
mistake of ours). A mail that was taken makes up for what came before it. What is told goes out when the session ends,
or when its lines are forgotten: there are too many, or it becomes another client's. What AUTH says is not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import log
from pytwfix.dialogs import smtp_events as events
from pytwfix.logs.postmaster import HEARD, SAID, post, told

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.state import State
    from pytwfix.contracts.host import ILog
    from pytwfix.mail.reply import Reply

BOUNCE, POLICY, PROTOCOL, RESOURCE, SOFTWARE = "bounce", "policy", "protocol", "resource", "software"
CLASSES = frozenset((BOUNCE, POLICY, PROTOCOL, RESOURCE, SOFTWARE))
_MOST = 1000
_PROTOCOL = frozenset((events.Refused, events.ClosedByPolicy, events.Unknown))
_FLUSHING = frozenset((events.Helo, events.Rset))
_UNTOLD = frozenset((events.Auth, events.Response, events.Etrn))
_RETURNED = frozenset(("5.3.4", "5.4.0"))  # of a whole mail: too large, too many hops


_Entry = tuple["events.Event | None", "Reply | None"]


def error_class(event: events.Event, reply: Reply, unlisted: bool) -> str:
    """Which class a refusal belongs to; "" for none. `unlisted`: the address is not among ours, or has no way."""
    kind, dsn = type(event), reply.dsn
    if kind in _UNTOLD:
        return ""
    if kind in _PROTOCOL:
        return _of_protocol(reply)
    if dsn == "4.3.5":
        return SOFTWARE
    if dsn == "4.3.1" or (dsn == "4.3.0" and reply.text.startswith("Error:")):
        return RESOURCE
    if unlisted or (kind is events.EndOfData and dsn in _RETURNED):
        return BOUNCE
    return POLICY


def _of_protocol(reply: Reply) -> str:
    """Of what the dialog itself refuses: who has no right broke no rule, nor who gave no recipient that we took."""
    if reply.dsn == "5.7.0":
        return POLICY
    return "" if (reply.code, reply.dsn) == (554, "5.5.1") else PROTOCOL


def _lines(event: events.Event | None, reply: Reply | None) -> Iterator[tuple[str, bytes]]:
    """What was heard, and what was said."""
    if event is not None and (event.line or (type(event) is events.Refused and not event.verb)):
        yield HEARD, _heard(event)
    if reply is not None:
        for line in reply.wire().splitlines():
            yield SAID, line


def _heard(event: events.Event) -> bytes:
    if type(event) is events.Auth:
        return b"AUTH %b ..." % event.arguments[0]
    return b"..." if type(event) is events.Response else event.line


class History:
    """One session's. `wanted` are the classes that the postmaster wants to hear of, `limit` the lines above which it is
    forgotten when a mail ends or another begins."""

    __slots__ = ("_count", "_debug", "_entries", "_limit", "_seen", "_state", "_wanted")

    def __init__(self, state: State, wanted: frozenset[str], limit: int, debug: ILog | None) -> None:
        self._state = state
        self._wanted = wanted
        self._limit = limit
        self._debug = debug
        self._entries: list[_Entry] = []
        self._count = 0  # lines
        self._seen: set[str] = set()

    def add(self, event: events.Event | None, reply: Reply) -> None:
        """A command, or None for the greeting, with its answer. Costs no more than it must: it is seldom read."""
        kind = type(event)
        other = kind is events.Attributes and reply.code == 220  # a session of somebody else begins
        if other or (kind in _FLUSHING and self._count >= self._limit):
            self._keep(event, None)
            self.end("")
            self._keep(None, reply)
        else:
            self._keep(event, reply)
            if kind is events.EndOfData and self._count > self._limit:
                self.end("")
        if self._debug is not None:
            for prefix, line in _lines(event, reply):
                text = line.decode("utf-8", "replace")
                log.dialog(self._debug, "<" if prefix == HEARD else ">", self._state.namaddr, text)

    def _keep(self, event: events.Event | None, reply: Reply | None) -> None:
        self._count += (event is not None) + (reply.text.count("\n") + 1 if reply is not None else 0)
        if len(self._entries) < _MOST:
            self._entries.append((event, reply))

    def went_wrong(self, kind: str) -> None:
        if kind in self._wanted:
            self._seen.add(kind)

    def forgive(self) -> None:
        """A mail was taken."""
        self._seen.clear()

    def reset(self) -> None:
        """Nothing of it is to be told."""
        self._entries = []
        self._count = 0
        self._seen = set()

    def end(self, reason: str) -> None:
        """Tell it if there is something to tell, and forget it; `reason` why it has ended, when it was not QUIT."""
        if self._seen:
            work = self._post(reason, BOUNCE in self._seen, self._entries)
            self._state.host.background(work, "notice to the postmaster")
        self.reset()

    async def _post(self, reason: str, bounced: bool, entries: list[_Entry]) -> None:
        state, cfg = self._state, self._state.config.settings
        to = cfg.bounce_notice_recipient if bounced else cfg.error_notice_recipient
        said = [text for entry in entries for item in _lines(*entry) for text in told(*item)]
        tail = ["", f"Session aborted, reason: {reason}"] if reason else [""]
        transcript = ["Transcript of session follows.", "", *said, *tail]
        failed = await post(state.host, cfg, "smtpd", to, f"SMTP server: errors from {state.namaddr}", transcript)
        if failed:
            state.host.log.warning(failed)
