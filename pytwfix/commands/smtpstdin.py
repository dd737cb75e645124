"""`sendmail -bs`: SMTP on standard input, each mail submitted as sendmail(1) does (INVENTORY SE-4, SD-58).

A loop over the server's dialog without reactor: nothing is checked but syntax, no name is looked up, and the queue ID
in the reply is the maildrop file's. Lines may end with LF: the client is a program on this machine. The session is
logged as that of a client from here, where this user may log.
"""

from __future__ import annotations

import os

from pytwfix.accept.pickup import records
from pytwfix.accept.smtpd.counts import Counts
from pytwfix.commands.maillog import log_target
from pytwfix.commands.submission import SubmitError, submit, value
from pytwfix.dialogs import smtp_events as events
from pytwfix.dialogs.smtp_server import Rules, SmtpServer
from pytwfix.logs.destinations import INFO, WARNING, Destination
from pytwfix.logs.lines import clean
from pytwfix.mail.dates import mail_date
from pytwfix.mail.quoting import external_form
from pytwfix.mail.reply import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.settings.snapshot import Snapshot

_OK = Reply(250, "2.0.0", "Ok")
_CHUNK = 65536
_CLIENT = "localhost[127.0.0.1]"
_GOODBYE = Reply(221, "2.7.0", "Error: I can break rules, too. Goodbye.", hangup=True)
_TOO_BIG = Reply(552, "5.3.4", "Message size exceeds fixed limit")
_PLAIN_REPLIES = {
    events.Rset: _OK,
    events.Noop: _OK,
    events.Mail: Reply(250, "2.1.0", "Ok"),
    events.Rcpt: Reply(250, "2.1.5", "Ok"),
    events.Quit: Reply(221, "2.0.0", "Bye", hangup=True),
    events.Help: Reply(214, "2.0.0", "Commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT HELP"),
    events.Etrn: Reply(458, "", "Unable to queue messages"),
    events.Auth: Reply(503, "5.5.1", "Error: authentication not enabled"),
    events.StartTls: Reply(502, "5.5.1", "Error: command not implemented"),
    events.Attributes: Reply(550, "5.7.0", "Error: insufficient authorization"),
    events.Unknown: Reply(500, "5.5.2", "Error: command not recognized"),
    events.Data: Reply(354, "", "End data with <CR><LF>.<CR><LF>"),
}


class Session:
    """One client, who is the user that runs the command."""

    def __init__(self, config: Snapshot) -> None:
        self._config = config
        self._hostname = value(config, "myhostname")
        self._limit = int(value(config, "message_size_limit") or 0)
        self._dialog = SmtpServer(Rules(hostname=self._hostname, forbid_pipelining=False))
        self._dialog.lenient_lf = True
        self._forbidden = frozenset(value(config, "smtpd_forbidden_commands").upper().replace(",", " ").split())
        hard = int(value(config, "smtpd_hard_error_limit"))
        self.counts = Counts(hard, hard, int(value(config, "smtpd_junk_command_limit")))
        self.after = "CONNECT"  # the last command
        self.told: list[str] = []  # warnings for the log
        self._too_many = Reply(421, "4.7.0", f"{self._hostname} Error: too many errors", hangup=True)
        self._mail: events.Mail | None = None
        self._recipients: list[events.Rcpt] = []
        self._content: list[bytes] = []
        self._size = 0

    def greet(self) -> bytes:
        self._dialog.greet(Reply(220, "", f"{self._hostname} ESMTP {value(self._config, 'mail_name')}"))
        return self._dialog.data_to_send()

    @property
    def closed(self) -> bool:
        return self._dialog.closed

    def receive(self, data: bytes) -> bytes:
        """What the client sent; the answer is what it hears."""
        dialog = self._dialog
        dialog.receive(data)
        while isinstance(event := dialog.next_event(), events.Event):
            self._answer(event)
        return dialog.data_to_send()

    def _answer(self, event: events.Event) -> None:
        dialog = self._dialog
        if event.verb and not isinstance(event, events.EndOfData):
            self.counts.begin(event.verb)
            self.after = event.verb
        if isinstance(event, events.Body):
            self._size += len(event.data)
            if not self._limit or self._size <= self._limit:
                self._content.append(event.data)
        elif isinstance(event, events.Bdat):
            dialog.accept_chunk()
        elif isinstance(event, (events.Refused, events.ClosedByPolicy)):
            self._reply(event, event.reply)
        elif isinstance(event, events.Helo):
            self._reset()
            self._reply(event, self._hello(event))
        elif isinstance(event, events.EndOfData):
            self._reply(event, self._end(event))
        elif isinstance(event, events.Vrfy):
            self._reply(event, Reply(252, "2.0.0", event.text.decode("utf-8", "replace")))
        elif isinstance(event, events.Unknown) and self._not_smtp(event):
            self._reply(event, _GOODBYE)
        elif isinstance(event, events.Mail) and self._limit and event.size > self._limit:
            self._reply(event, _TOO_BIG)
        else:
            self._note(event)
            self._reply(event, _PLAIN_REPLIES.get(type(event), _OK))

    def _reply(self, event: events.Event, reply: Reply) -> None:
        self.counts.end(event, reply)
        self._dialog.reply(reply)
        if self.counts.too_many and not (reply.hangup or self._dialog.closed):
            self._dialog.dismiss(self._too_many)

    def _not_smtp(self, event: events.Unknown) -> bool:
        """A header of a mail, or a word of another protocol (SD-17)."""
        line = event.line.decode("utf-8", "replace")
        if not event.header_like and line.split(None, 1)[0].upper() not in self._forbidden:
            return False
        self.told.append(f"non-SMTP command from {_CLIENT}: {line}")
        return True

    def _note(self, event: events.Event) -> None:
        if isinstance(event, events.Mail):
            self._reset()
            self._mail = event
        elif isinstance(event, events.Rcpt):
            self._recipients.append(event)
        elif isinstance(event, events.Rset):
            self._reset()

    def _reset(self) -> None:
        self._mail = None
        self._recipients = []
        self._content = []
        self._size = 0

    def _hello(self, event: events.Helo) -> Reply:
        if event.verb == "HELO":
            return Reply(250, "", self._hostname)
        size = f"SIZE {self._limit}" if self._limit else "SIZE"
        keywords = ("VRFY", "ETRN", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING")
        return Reply(250, "", "\n".join([self._hostname, "PIPELINING", size, *keywords]))

    def _end(self, event: events.EndOfData) -> Reply:
        if not event.last:
            return Reply(250, "2.0.0", f"Ok: {self._size} bytes")
        if self._limit and self._size > self._limit:
            self._reset()
            return Reply(552, "5.3.4", "Error: message file too big")
        size = self._size
        try:
            name = submit(self._config, self._records())
            self.counts.mail()
        except SubmitError as error:
            return Reply(451, "4.3.0", f"Error: {error}")
        finally:
            self._reset()
        return Reply(250, "2.0.0", f"Ok: {f'{size} bytes ' if event.verb == 'BDAT' else ''}queued as {name}")

    def _records(self) -> bytes:
        mail = self._mail
        assert mail is not None
        out: list[bytes] = []
        options = {
            "encoding": mail.encoding.encode(),
            "envelope_id": mail.envid,
            "ret_flags": b"%d" % mail.ret if mail.ret else b"",
            "sendopts": b"1" if mail.smtputf8 else b"",
        }
        out += [records.attribute(name, text) for name, text in options.items() if text]
        out.append(records.record(records.SENDER, mail.sender))
        for recipient in self._recipients:
            if recipient.notify:
                out.append(records.attribute("notify_flags", b"%d" % recipient.notify))
            if recipient.orcpt:
                out.append(records.attribute("dsn_orig_rcpt", recipient.orcpt))
            out.append(records.record(records.RECIPIENT, recipient.recipient))
        out.append(records.record(records.CONTENT, b""))
        out.append(records.lines(self._lines()))
        out += [records.record(records.EXTRACTED, b""), records.record(records.END, b"")]
        return b"".join(out)

    def _lines(self) -> list[bytes]:
        import time

        helo = self._dialog.helo.decode("utf-8", "replace")
        protocol = "ESMTP" if self._dialog.esmtp else "SMTP"
        only = external_form(self._recipients[0].recipient).decode("utf-8", "replace")
        received = (
            f"Received: from {helo or 'localhost'} (localhost [127.0.0.1])\r\n"
            f"\tby {self._hostname} ({value(self._config, 'mail_name')}) with {protocol}"
            + (f"\r\n\tfor <{only}>" if len(self._recipients) == 1 else "")
            + f"; {mail_date(time.time())}"
        )
        lines = b"".join(self._content).split(b"\r\n")
        if lines and not lines[-1]:
            lines.pop()
        return [*received.encode().split(b"\r\n"), *lines]


class SessionLog:
    """The session's lines in the mail system's log, as smtpd's; none where this user may not write it."""

    def __init__(self, config: Snapshot) -> None:
        self._tag = f"{value(config, 'syslog_name')}/smtpd[{os.getpid()}]: "
        self._target: Destination | None = None
        try:
            self._target = log_target(config)
        except OSError:
            pass  # a file that the mail system alone may write

    def write(self, text: str, level: int = INFO) -> None:
        if self._target is not None:
            self._target.write(self._tag, level, clean(text))
            self._target.flush()


def serve(config: Snapshot, source: int = 0, target: int = 1) -> int:
    """Talk until the client quits or hangs up."""
    session, log = Session(config), SessionLog(config)
    log.write(f"connect from {_CLIENT}")
    _write(target, session.greet())
    while not session.closed:
        data = os.read(source, _CHUNK)
        if not data:
            log.write(f"lost connection after {session.after} from {_CLIENT}")
            break
        _write(target, session.receive(data))
        for text in session.told:
            log.write(f"warning: {text}", WARNING)
        session.told.clear()
    log.write(f"disconnect from {_CLIENT}{session.counts.line()}")
    return 0


def _write(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]
