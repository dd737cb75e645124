"""The client's side of SMTP and LMTP, without sockets: commands out, replies in (RFC 5321, 2920, 2033, 3207).

`SmtpClient` knows which replies are due and in what order. A command is put in the queue with the stage that it belongs
to; `next_reply` gives each answer with its stage. A reply that nobody asked for answers the next command (OB-3): that
is how the other side sees it too. STARTTLS throws away what came in plaintext before the handshake (OB-6).

`Transfer` is one mail: MAIL, RCPT, DATA, the content, the end. Whether commands are pipelined is a property of it, not
of who drives it: `advance` sends what may be sent and says what is to be done next.

    waiting:  XFORWARD * m -> MAIL -> RCPT * n -> DATA -> (content) -> END * 1, or * accepted recipients in LMTP

A probe ends before DATA, or before the content (SM-7).

Nothing raises for what a server says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

from pytwfix.dialogs.smtp_client_replies import LIMIT, Answer, ReplyParser


class Stage(Enum):
    """What an answer is to. `command` is how failure texts name it, `activity` what was going on (SM-8)."""

    GREETING = ("initial greeting", "receiving the initial server greeting")
    EHLO = ("EHLO command", "performing the EHLO handshake")
    HELO = ("HELO command", "performing the HELO handshake")
    LHLO = ("LHLO command", "performing the LHLO handshake")
    STARTTLS = ("STARTTLS command", "receiving the STARTTLS response")
    AUTH = ("AUTH command", "performing the AUTH handshake")
    XFORWARD = ("XFORWARD command", "sending XFORWARD name/address")
    MAIL = ("MAIL FROM command", "sending MAIL FROM")
    RCPT = ("RCPT TO command", "sending RCPT TO")
    DATA = ("DATA command", "sending DATA command")
    BODY = ("DATA command", "sending message body")
    END = ("end of DATA command", "sending end of data -- message may be sent more than once")
    RSET = ("RSET command", "sending RSET probe")
    QUIT = ("QUIT command", "sending QUIT")

    def __init__(self, command: str, activity: str) -> None:
        self.command = command
        self.activity = activity


class ITape(Protocol):
    """A record of the dialog."""

    def sent(self, line: bytes) -> None: ...
    def heard(self, answer: Answer) -> None: ...


class SmtpClient:
    """One connection. Begins with the greeting due."""

    __slots__ = ("_out", "_parser", "_stages", "answered", "edit", "tape")

    def __init__(self, limit: int = LIMIT) -> None:
        self.tape: ITape | None = None  # who writes down what is said
        self.edit: Callable[[Answer], Answer] | None = None  # what is to be made of each answer (SM-15)
        self._parser = ReplyParser(limit)
        self._out: list[bytes] = []
        self._stages: deque[Stage] = deque((Stage.GREETING,))
        self.answered = 0  # replies used so far

    def receive(self, data: bytes) -> None:
        self._parser.receive(data)

    def data_to_send(self) -> bytes:
        """All commands that were asked for since the last call, in one piece."""
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def command(self, line: bytes, stage: Stage) -> None:
        """Send a command (without line end); one reply is due for it."""
        self._out.append(line + b"\r\n")
        self._stages.append(stage)
        if self.tape is not None:
            self.tape.sent(line)

    def end_of_data(self, replies: int) -> None:
        """The end of the content is on its way; so many replies are due for it."""
        self._stages.extend([Stage.END] * replies)
        if self.tape is not None:
            self.tape.sent(b".")

    @property
    def waiting(self) -> Stage | None:
        """What the next reply is to; None when none is due."""
        return self._stages[0] if self._stages else None

    @property
    def surplus(self) -> bool:
        """Whether the server has said something that was not asked for."""
        return not self._stages and self._parser.pending

    def next_reply(self) -> tuple[Stage, Answer] | None:
        """The next answer, or None when none is due or more bytes are needed."""
        if not self._stages:
            return None
        answer = self._parser.next()
        if answer is None:
            return None
        self.answered += 1
        if self.tape is not None:
            self.tape.heard(answer)
        if self.edit is not None:
            answer = self.edit(answer)
        return self._stages.popleft(), answer

    @property
    def skipped(self) -> bytes | None:
        """The first line since the last `forget_skipped` that was no reply."""
        return self._parser.skipped

    def forget_skipped(self) -> None:
        self._parser.skipped = None

    def complain_to(self, complain: Callable[[bool, bytes], None]) -> None:
        """It hears of replies that were cut off: whether it was a whole reply or a line, and the begin."""
        self._parser.complain = complain

    def start_tls(self) -> None:
        """The handshake begins: nothing that was said before it counts."""
        self._parser.clear()


class Todo(Enum):
    """What whoever drives a Transfer has to do."""

    WAIT = 1  # send `data_to_send`, get more bytes
    CONTENT = 2  # send the content and its end, then call `content_sent`
    NOTHING = 3  # send ".", then call `content_sent`: the server asked for content that has no recipient
    DONE = 4


class Probe(Enum):
    """How far a transfer goes."""

    NO = 0
    RCPT = 1  # no DATA
    DATA = 2  # DATA, but no content: the connection is of no use afterwards


class Transfer:
    """One mail over an open session. `answers[i]` is what decided about recipient i: (stage, answer), or None yet."""

    __slots__ = (
        "_accepted",
        "_client",
        "_commands",
        "_data_sent",
        "_lmtp",
        "_next",
        "_pipelining",
        "_probe",
        "_replied",
        "_state",
        "answers",
        "complaints",
        "complete",
    )

    def __init__(
        self,
        client: SmtpClient,
        mail: bytes,
        recipients: Sequence[bytes],
        *,
        pipelining: bool,
        lmtp: bool = False,
        probe: Probe = Probe.NO,
        before: Sequence[bytes] = (),
    ) -> None:
        """`mail` and `recipients` are whole commands; so are those `before` MAIL, whose replies do not matter."""
        self.answers: list[tuple[Stage, Answer] | None] = [None] * len(recipients)
        self.complaints: list[Answer] = []  # refusals of the commands before MAIL
        self.complete = False  # the server has had the whole content, and has answered
        self._client = client
        self._pipelining = pipelining
        self._lmtp = lmtp
        self._probe = probe
        self._accepted: list[int] = []  # recipients, by number, that wait for the end of data
        self._replied = 0  # the recipient whose reply is due
        self._data_sent = False
        self._state = Todo.WAIT
        self._commands = [(line, Stage.XFORWARD) for line in before]
        self._commands.append((mail, Stage.MAIL))
        self._commands += [(line, Stage.RCPT) for line in recipients]
        self._next = 0  # the command to be sent
        if pipelining:
            self._send_all()
        else:
            self._send_next()

    def _send_all(self) -> None:
        command = self._client.command
        for line, stage in self._commands:
            command(line, stage)
        self._next = len(self._commands)
        if self._probe is not Probe.RCPT:
            self._send_data()

    def _send_data(self) -> None:
        self._client.command(b"DATA", Stage.DATA)
        self._data_sent = True

    def _send_next(self) -> None:
        """Without pipelining: the next command, or DATA when there are none left."""
        if self._next < len(self._commands):
            self._client.command(*self._commands[self._next])
            self._next += 1
        elif self._accepted and self._probe is not Probe.RCPT:
            self._send_data()

    @property
    def accepted(self) -> int:
        """How many recipients the server has taken, and are not decided yet."""
        return len(self._accepted)

    def advance(self) -> Todo:
        """Use the replies that are there."""
        while self._state is Todo.WAIT:
            found = self._client.next_reply()
            if found is None:
                return Todo.WAIT
            stage, answer = found
            if stage is Stage.RCPT:
                self._rcpt(answer)
            elif stage is Stage.MAIL:
                self._mail(answer)
            elif stage is Stage.DATA:
                self._data(answer)
            elif stage is Stage.END:
                self._end(answer)
            else:
                self._before(answer)
        return self._state

    def _before(self, answer: Answer) -> None:
        if answer.kind != 2:
            self.complaints.append(answer)
        if not self._pipelining:
            self._send_next()

    def _mail(self, answer: Answer) -> None:
        if answer.kind != 2:
            self._decide_all(Stage.MAIL, answer)
        elif not self._pipelining:
            self._send_next()
        self._stop_when_idle()

    def _rcpt(self, answer: Answer) -> None:
        number = self._replied
        self._replied += 1
        if self.answers[number] is None:
            if answer.kind == 2 and self._probe is not Probe.RCPT:
                self._accepted.append(number)
            else:
                self.answers[number] = Stage.RCPT, answer
        if not self._pipelining:
            self._send_next()
        self._stop_when_idle()

    def _stop_when_idle(self) -> None:
        """All is answered and nothing is to follow."""
        if not self._data_sent and self._client.waiting is None:
            self._state = Todo.DONE

    def _data(self, answer: Answer) -> None:
        if answer.kind == 3 and self._probe is Probe.NO:
            self._state = Todo.CONTENT if self._accepted else Todo.NOTHING
            return
        self._decide_all(Stage.DATA, answer)
        self._state = Todo.DONE

    def content_sent(self) -> None:
        """The content and its end are on their way."""
        replies = len(self._accepted) if self._lmtp else 1
        self._client.end_of_data(replies)
        self._state = Todo.WAIT if replies else Todo.DONE

    def _end(self, answer: Answer) -> None:
        """LMTP answers for each recipient, SMTP for all."""
        if self._lmtp and self._accepted:
            self.answers[self._accepted.pop(0)] = Stage.END, answer
        else:
            self._decide_all(Stage.END, answer)
        if not self._accepted:
            self._state = Todo.DONE
            self.complete = True

    def _decide_all(self, stage: Stage, answer: Answer) -> None:
        """The same answer for all that are not decided yet."""
        decided = stage, answer
        for number, known in enumerate(self.answers):
            if known is None:
                self.answers[number] = decided
        self._accepted.clear()
