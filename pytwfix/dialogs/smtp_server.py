"""The server's side of SMTP as a pure machine (RFC 5321, 2920, 3030, 3207; INVENTORY SD-1 to SD-19, OB-6, OB-7, OB-9).

    server.receive(bytes)            what the client sent
    server.next_event()              the next `Event`, NEED_DATA, or PAUSED while an event waits for its reply
    server.reply(Reply)              the answer to the open event
    server.data_to_send()            replies, ready to go out in one write

One event is open at a time, so replies cannot change places however the client pipelines. Syntax and sequence are
judged here and arrive as `Refused`; meaning (who may relay) is asked outside. States:

    COMMAND --DATA--> OPEN --354--> BODY --dot--> OPEN --reply--> COMMAND
    COMMAND --BDAT--> OPEN --accept_chunk--> CHUNK --n bytes--> OPEN --reply--> COMMAND
                           --reply 4xx/5xx--> SKIP --n bytes--> (that reply) COMMAND
    COMMAND --any---> OPEN --reply--> COMMAND;   a reply that hangs up: CLOSED

Nothing raises for what a client sends; calling `reply` with no event open is a mistake of the caller (RuntimeError).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

from pytwfix.dialogs import smtp_events as events
from pytwfix.dialogs.lines import ChunkBody, DataBody, LineBuffer, Normalizer
from pytwfix.dialogs.smtp_commands import COMMANDS, Syntax
from pytwfix.mail.reply import Reply


class Nothing(enum.Enum):
    """Why there is no event: the client must send more, or the caller must answer first."""

    NEED_DATA = 1
    PAUSED = 2


NEED_DATA = Nothing.NEED_DATA
PAUSED = Nothing.PAUSED

_COMMAND, _OPEN, _BODY, _CHUNK, _SKIP, _CLOSED = range(6)
_HEADER_LIKE = re.compile(rb"[^\s:]+:")
_BAD_SYNTAX = Reply(500, "5.5.2", "Error: bad syntax")
_BAD_UTF8 = Reply(500, "5.5.2", "Error: bad UTF-8 syntax")
_TLS_FIRST = Reply(530, "5.7.0", "Must issue a STARTTLS command first")
_NOT_IN_STEP = Reply(554, "5.5.0", "Error: SMTP protocol synchronization", hangup=True)
# How much of what was pipelined without right is kept for the log.
_IMPROPER_SIZE = 100


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all sessions of a service."""

    hostname: str = "localhost"
    line_limit: int = 2048
    helo_required: bool = False
    strict_envelopes: bool = False
    min_user: bool = False
    numeric_domain: bool = False
    null_domain: bool = False
    smtputf8: bool = True
    strict_smtputf8: bool = False
    vrfy_disabled: bool = False
    requiretls: bool = False
    ipv6: bool = True
    tls_required: bool = False
    forbid_pipelining: bool = True
    verp_delimiters: str = "-=+"
    noop_commands: frozenset[bytes] = field(default_factory=frozenset)


class SmtpServer:
    """One session. Attributes that the owner may set: what this client is offered and how strict line ends are."""

    __slots__ = (
        "_after_skip",
        "_body",
        "_chunk",
        "_chunk_lines",
        "_event",
        "_in",
        "_out",
        "_overlong",
        "_parting",
        "_responding",
        "_skip",
        "_state",
        "auth_offered",
        "bare_lf",
        "bytes_in",
        "chunk_failed",
        "chunking",
        "closed",
        "discarded",
        "esmtp",
        "filter_commands",
        "forbid_pipelining",
        "helo",
        "improper",
        "lenient_lf",
        "lf_reply",
        "mail",
        "recipients",
        "reject_lf",
        "response_limit",
        "rules",
        "smtputf8",
        "tls_active",
        "tls_offered",
        "xclient",
        "xforward",
        "xverp",
    )

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.discarded: frozenset[str] = frozenset()  # EHLO keywords that are not for this client, lower case
        self.tls_offered = False
        self.tls_active = False
        self.auth_offered = False
        self.xclient = False
        self.xforward = False
        self.xverp = False
        self.response_limit = 12288  # of what follows a 334
        self.filter_commands = False  # give out a `RawLine` for each command first
        self.lenient_lf = False  # smtpd_forbid_bare_newline = no
        self.reject_lf = False  # smtpd_forbid_bare_newline = reject
        self.lf_reply = Reply(550, "5.5.2", f"{rules.hostname} Error: bare <LF> received", hangup=True)
        self.forbid_pipelining = rules.forbid_pipelining
        self.helo = b""
        self.esmtp = False
        self.improper = b""  # what a client pipelined without right: the start of it
        self.bare_lf = False
        self.closed = False  # the last reply ends the connection
        self.bytes_in = 0  # of the body that is being received, as it came
        self._state = _COMMAND
        self._event: events.Event | None = None
        self._in = LineBuffer()
        self._out: list[bytes] = []
        self._skip = 0
        self._overlong = b""
        self._responding = False  # a SASL challenge went out
        self._after_skip: Reply | events.Event | None = None
        self.recipients: int = 0
        self._body: DataBody | None = None
        self._chunk: ChunkBody | None = None
        self._parting: Reply | None = None
        self._chunk_lines: Normalizer | None = None
        self._end_transaction()

    # What goes in and out.

    def receive(self, data: bytes) -> None:
        if self._state != _CLOSED:
            self._in.add(data)

    @property
    def pending(self) -> int:
        """Bytes received and not used."""
        return len(self._in.data)

    def peek(self) -> bytes:
        """The start of what is pending, for the log."""
        return bytes(self._in.data[:_IMPROPER_SIZE])

    @property
    def in_body(self) -> bool:
        """Whether what comes next belongs to a mail's content."""
        return self._state in (_BODY, _CHUNK)

    def data_to_send(self) -> bytes:
        out = b"".join(self._out)
        self._out.clear()
        return out

    def greet(self, reply: Reply) -> None:
        """The server's first words (also after XCLIENT)."""
        self._out.append(reply.wire())
        if reply.hangup:
            self._shut()

    def close(self, reply: Reply) -> None:
        """Say this and no more, whatever is going on (timeouts, shutdown)."""
        self._out.append(reply.wire())
        self._shut()

    def dismiss(self, reply: Reply) -> None:
        """The same, but a chunk that was refused is read to its end and answered first."""
        if self._state == _SKIP and isinstance(self._after_skip, Reply):
            self._parting = reply
        else:
            self.close(reply)

    # Events.

    def next_event(self) -> events.Event | Nothing:
        state = self._state
        if state == _COMMAND:
            return self._next_command()
        if state == _BODY:
            return self._next_body()
        if state == _CHUNK:
            return self._next_chunk()
        if state == _SKIP:
            return self._next_skipped()
        return PAUSED if state == _OPEN else NEED_DATA

    def _opened(self, event: events.Event) -> events.Event:
        self._state = _OPEN
        self._event = event
        return event

    def _next_command(self) -> events.Event | Nothing:
        if self._responding:
            return self._next_response()
        line = self._in.line()
        if line is None:
            if len(self._in.data) <= self.rules.line_limit:
                return NEED_DATA
            return self._too_long(self._in.take(100))
        if len(line) > self.rules.line_limit + 2:
            return self._too_long(line)
        if not line.endswith(b"\r\n") and not self.lenient_lf:
            self.bare_lf = True
            if self.reject_lf:
                return self._opened(events.ClosedByPolicy("", line, "bare_lf", self.lf_reply))
        if self.filter_commands:
            return self._opened(events.RawLine("", line.strip()))
        return self._understood(line)

    def _next_response(self) -> events.Event | Nothing:
        """A line that answers a challenge; one that is too long is read to its end, piece by piece."""
        limit = self.response_limit
        line = self._in.line()
        if line is None:
            if len(self._in.data) <= limit:
                return NEED_DATA
            self._overlong = self._overlong or bytes(self._in.data[:_IMPROPER_SIZE])
            self._in.clear()
            return NEED_DATA
        cut, self._overlong = self._overlong, b""
        if cut or len(line) > limit + 2:
            return self._opened(events.Response(cut or line[:_IMPROPER_SIZE], too_long=True))
        return self._opened(events.Response(line.strip()))

    def _understood(self, line: bytes) -> events.Event | Nothing:
        found = self._command(line.strip())
        return self._opened(found) if isinstance(found, events.Event) and self._state == _COMMAND else found

    def replace_line(self, line: bytes) -> events.Event | Nothing:
        """The open `RawLine` is to be understood like this."""
        self._state = _COMMAND
        return self._understood(line)

    def _too_long(self, line: bytes) -> events.Event:
        """There is no telling where such a client stands: say so and hang up."""
        rules = self.rules
        self._in.clear()
        text = line[:30].decode("utf-8", "replace")
        reply = Reply(500, "5.5.2", f"{rules.hostname} Error: command too long", hangup=True)
        return self._opened(
            events.Refused("", line[:100], reply, f"%s: request longer than {rules.line_limit}: {text}...")
        )

    def _command(self, line: bytes) -> events.Event | Nothing:
        if not line:
            return events.Refused("", line, _BAD_SYNTAX)
        if self.rules.smtputf8 and not line.isascii() and not _is_utf8(line):
            return events.Refused("", line, _BAD_UTF8)
        words = line.split(None, 1)
        word = words[0].upper()
        rest = words[1] if len(words) == 2 else b""
        command = COMMANDS.get(word)
        if word in self.rules.noop_commands:
            return events.Noop("", line)  # which is not counted
        if command is None:
            self._pipelining(False)
            header_like = b":" in words[0] and _HEADER_LIKE.match(words[0]) is not None
            return events.Unknown("UNKNOWN", line, header_like)
        verb = word.decode("ascii")
        if self._pipelining(command.last) and self.forbid_pipelining:
            return events.ClosedByPolicy(verb, line, "pipelining", _NOT_IN_STEP)
        if self.rules.tls_required and not self.tls_active and not command.plain:
            return self._refuse_before_tls(verb, line, rest)
        try:
            return command.parse(self, verb, line, rest)
        except Syntax as error:
            refused = events.Refused(verb, line, error.reply, error.complaint)
        return self._refused(refused)

    def _refuse_before_tls(self, verb: str, line: bytes, rest: bytes) -> events.Event | Nothing:
        size = rest.split(None, 1)[:1]
        if verb == "BDAT" and size and size[0].isdigit():
            self.announce_chunk(int(size[0][:19]))
        return self._refused(events.Refused(verb, line, _TLS_FIRST))

    def _refused(self, event: events.Refused) -> events.Event | Nothing:
        """A refused BDAT: first its bytes are read, then it is an event."""
        if not self._skip:
            return event
        self._after_skip = event
        self._state = _SKIP
        return self._next_skipped()

    def _pipelining(self, last: bool) -> bool:
        """Whether the client sent more although it had to wait for this reply (SD-18)."""
        if not len(self._in.data) or (self.esmtp and not last):
            return False
        if not self.improper:
            self.improper = bytes(self._in.data[:_IMPROPER_SIZE])
        return True

    def _next_body(self) -> events.Event | Nothing:
        body = self._body
        assert body is not None
        before = len(self._in.data)
        if not before:
            return NEED_DATA
        data, ended = body.take(self._in)
        self.bytes_in += before - len(self._in.data)
        self.bare_lf = self.bare_lf or body.bare_lf
        if ended:
            self._after_skip = events.EndOfData("DATA", True, body.bare_lf)
            self._body, self._state, self._skip = None, _SKIP, 0
            return events.Body(data, body.tidy) if data else self._next_skipped()
        return events.Body(data, body.tidy) if data else NEED_DATA

    def _next_chunk(self) -> events.Event | Nothing:
        chunk, lines = self._chunk, self._chunk_lines
        assert chunk is not None and lines is not None and isinstance(self._event, events.Bdat)
        before = len(self._in.data)
        if not before and chunk.left:
            return NEED_DATA
        data = chunk.take(self._in)
        self.bytes_in += before - len(self._in.data)
        if chunk.left:
            return events.Body(data) if data else NEED_DATA
        last = self._event.last
        if last:
            data += lines.finish()
        if not self.lenient_lf:
            self.bare_lf = self.bare_lf or lines.bare_lf
        self._after_skip = events.EndOfData("BDAT", last, lines.bare_lf)
        self._chunk, self._state, self._skip = None, _SKIP, 0
        return events.Body(data) if data else self._next_skipped()

    def _next_skipped(self) -> events.Event | Nothing:
        """Throw bytes away, then go on with what was kept for after them."""
        if self._skip:
            self._skip -= len(self._in.take(min(self._skip, len(self._in.data))))
            if self._skip:
                return NEED_DATA
        after, self._after_skip = self._after_skip, None
        if isinstance(after, Reply):
            self._out.append(after.wire())
            self._state = _COMMAND
            if after.hangup:
                self._shut()
            if self._parting is not None:
                self.close(self._parting)
            return self.next_event()
        assert after is not None
        return self._opened(after)

    # Answers.

    def reply(self, reply: Reply) -> None:
        """Answer the open event."""
        event = self._event
        if self._state != _OPEN or event is None:
            raise RuntimeError("no SMTP event is open")
        self._event = None
        self._state = _COMMAND
        if isinstance(event, events.Bdat):
            self.chunking = self.chunk_failed = True
            if event.last:
                self._end_transaction()
            self._skip, self._after_skip, self._state = event.size, reply, _SKIP
            return
        self._out.append(reply.wire())
        if reply.hangup or type(event) is events.Quit:
            self._close()
        else:
            self._advance(event, reply)

    def accept_chunk(self) -> None:
        """Let the bytes of the open `Bdat` through; `EndOfData` follows."""
        event = self._event
        assert self._state == _OPEN and isinstance(event, events.Bdat)
        if self._chunk_lines is None:
            self._chunk_lines = Normalizer(self.lenient_lf)
            self.bytes_in = 0
        self.chunking = True
        self._chunk = ChunkBody(event.size, self._chunk_lines)
        self._skip = 0
        self._state = _CHUNK

    def tls_started(self) -> None:
        """The handshake is done: what was known from plaintext is forgotten (RFC 3207 section 4.2)."""
        self.tls_active = True
        self.restart()

    def restart(self) -> None:
        """As if the client had just connected (after STARTTLS and XCLIENT)."""
        self.helo = b""
        self.esmtp = False
        self._end_transaction()

    def _advance(self, event: events.Event, reply: Reply) -> None:
        good = reply.code < 400
        kind = type(event)
        if kind is events.Rcpt:
            self.recipients += good
        elif kind is events.Mail:
            assert isinstance(event, events.Mail)
            self.mail, self.smtputf8 = good, event.smtputf8
        elif kind is events.Data and good:
            self._body = DataBody(self.lenient_lf)
            self.bytes_in = 0
            self._state = _BODY
        elif kind is events.EndOfData:
            assert isinstance(event, events.EndOfData)
            self.chunk_failed = not good
            if event.last:
                self._end_transaction()
        elif kind is events.Rset:
            self._end_transaction()
        elif kind is events.Auth or kind is events.Response:
            self._responding = reply.code == 334
        elif kind is events.Helo and good:
            assert isinstance(event, events.Helo)
            self.helo, self.esmtp = event.name, event.verb == "EHLO"
            self._end_transaction()
        elif kind is events.StartTls and good:
            self._in.clear()

    def _shut(self) -> None:
        self._state = _CLOSED
        self.closed = True

    def _close(self) -> None:
        self._shut()
        self._in.clear()

    # For the parsers in smtp_commands.

    def announce_chunk(self, size: int) -> None:
        """If the command is refused, this many bytes must be read and thrown away."""
        self._skip = size

    def abandon_chunks(self) -> None:
        self._end_transaction()

    def _end_transaction(self) -> None:
        self.mail = False
        self.smtputf8 = False
        self.recipients = 0
        self.chunking = False
        self.chunk_failed = False
        self._body = self._chunk = None
        self._chunk_lines = None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
