"""What was said in a session: mailed to the postmaster when something went wrong, or logged (SD-56, SV-8).

notify_classes says what is worth a mail: policy (a refusal), protocol (a client that breaks the rules), resource (we
are short of something), software (a mistake of ours). A mail that was taken makes up for what came before it. What AUTH
says is not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import log
from pytwfix.contracts.cleanup import INTERNAL, MAP, Origin
from pytwfix.dialogs import smtp_events as events
from pytwfix.mail.dates import mail_date
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.errors import MailError

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.state import State
    from pytwfix.contracts.host import ILog
    from pytwfix.mail.reply import Reply

POLICY, PROTOCOL, RESOURCE, SOFTWARE = "policy", "protocol", "resource", "software"
CLASSES = frozenset((POLICY, PROTOCOL, RESOURCE, SOFTWARE))
_MOST = 1000
_PROTOCOL = frozenset((events.Refused, events.ClosedByPolicy, events.Unknown))
_FLUSHING = frozenset(("EHLO", "HELO", "RSET"))
_IN, _OUT = " In:  ", " Out: "
# Words that are nobody's business.
_SECRET = frozenset((events.Auth, events.Response))


def error_class(event: events.Event, reply: Reply) -> str:
    """Which class a refusal belongs to; "" for none."""
    if type(event) in _SECRET:
        return ""
    if type(event) in _PROTOCOL:
        return PROTOCOL
    if reply.dsn.startswith(("4.3.0", "4.3.1")) or (reply.code == 452 and reply.dsn == "4.3.1"):
        return RESOURCE
    return SOFTWARE if reply.dsn == "4.3.5" else POLICY


def _lines(event: events.Event | None, reply: Reply) -> list[str]:
    """As the postmaster reads it."""
    heard = []
    if type(event) is events.Auth:
        heard = [f"{_IN}AUTH {event.arguments[0].decode('utf-8', 'replace')} ..."]
    elif type(event) is events.Response:
        heard = [f"{_IN}..."]
    elif event is not None and event.line:
        heard = [_IN + event.line.decode("utf-8", "replace")]
    return heard + [_OUT + line for line in reply.wire().decode("utf-8", "replace").splitlines()]


class History:
    """One session's. `wanted` are the classes that the postmaster wants to hear of."""

    __slots__ = ("_debug", "_entries", "_limit", "_seen", "_state", "_wanted")

    def __init__(self, state: State, wanted: frozenset[str], limit: int, debug: ILog | None) -> None:
        self._state = state
        self._wanted = wanted
        self._limit = limit
        self._debug = debug
        self._entries: list[tuple[events.Event | None, Reply]] = []
        self._seen = False

    def add(self, event: events.Event | None, reply: Reply) -> None:
        """A command, or None for the greeting, with its answer. Costs no more than it must: it is seldom read."""
        entries = self._entries
        if event is not None and event.verb == "XCLIENT" and reply.code == 220:  # a session of somebody else begins
            self.reset()
            event = None
        if len(entries) > self._limit and event is not None and event.verb in _FLUSHING and not self._seen:
            entries.clear()
        if len(entries) < _MOST:
            entries.append((event, reply))
        if self._debug is not None:
            for line in _lines(event, reply):
                log.dialog(self._debug, "<" if line.startswith(_IN) else ">", self._state.namaddr, line[6:])

    def went_wrong(self, kind: str) -> None:
        if kind in self._wanted:
            self._seen = True

    def reset(self) -> None:
        """A mail was taken, or the session is another client's."""
        self._entries.clear()
        self._seen = False

    def end(self, reason: str) -> None:
        """The session has ended; `reason` why, when it was not QUIT."""
        if self._seen:
            self._state.host.background(self._post(reason), "notice to the postmaster")

    async def _post(self, reason: str) -> None:
        host, cfg = self._state.host, self._state.config.settings
        to = cfg.error_notice_recipient.encode("utf-8", "surrogateescape")
        origin = Origin(INTERNAL | MAP, rewrite_context="local", source="local", service="smtpd", arrival=host.now())
        sender = cfg.double_bounce_sender
        try:
            mail = await host.peers.cleanup.begin(origin)
            await mail.sender((sender if "@" in sender else f"{sender}@{cfg.myhostname}").encode())
            await mail.recipient(Recipient(to, to))
            waiting = mail.body(self._content(mail.queue_id, reason))
            if waiting is not None:
                await waiting
            await mail.commit()
        except MailError as error:
            host.log.warning(f"postmaster notify: {error.reason or error.reply.line()}")

    def _content(self, queue_id: str, reason: str) -> bytes:
        cfg, state = self._state.config.settings, self._state
        date = mail_date(state.host.now())
        head = [
            f"Received: by {cfg.myhostname} ({cfg.mail_name})",
            f"\tid {queue_id}; {date}",
            f"Date: {date}",
            f"From: Mail Delivery System <MAILER-DAEMON@{cfg.myhostname}>",
            f"To: Postmaster <{cfg.error_notice_recipient}>",
            f"Subject: {cfg.mail_name} SMTP server: errors from {state.namaddr}",
            "",
            "Transcript of session follows.",
            "",
        ]
        tail = ["", f"Session aborted, reason: {reason}", ""] if reason else ["", ""]
        said = [line for entry in self._entries for line in _lines(*entry)]
        lines = [*head, *said, *tail, "For other details, see the local mail logfile", ""]
        return "\r\n".join(lines).encode("utf-8", "replace")
