"""Transcripts (*.chat) against the SMTP server's machine alone.

    O: name=value      an attribute of the dialog (tls_offered=yes, lenient_lf=yes ...) or of its rules
    C: text            the client sends this line; "C! text" sends it raw, with \\r \\n \\0 and \\xNN as escapes
    S: text            the next line of the server
Empty lines and lines that start with # are for people. Every reply must be named, in order.
"""

from __future__ import annotations

import os
from dataclasses import fields

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs import smtp_events as events
from pytwfix.dialogs.smtp_server import Rules, SmtpServer
from pytwfix.mail.reply import Reply

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = {field.name for field in fields(Rules)}


def _raw(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


class Yes:
    """A session that agrees to everything that the dialog lets through."""

    def __init__(self, options: dict[str, object]) -> None:
        rules = {name: value for name, value in options.items() if name in RULES}
        self.core = SmtpServer(Rules(**{"hostname": "mx.example", **rules}))  # type: ignore[arg-type]
        for name, value in options.items():
            if name not in RULES:
                setattr(self.core, name, value)

    def feed(self, data: bytes) -> list[str]:
        self.core.receive(data)
        while isinstance(event := self.core.next_event(), events.Event):
            self.answer(event)
        return self.core.data_to_send().decode("utf-8", "replace").splitlines()

    def answer(self, event: events.Event) -> None:
        core = self.core
        if isinstance(event, events.Body):
            return
        if isinstance(event, (events.Refused, events.ClosedByPolicy)):
            core.reply(event.reply)
        elif isinstance(event, events.Bdat):
            core.accept_chunk()
        elif isinstance(event, events.Data):
            core.reply(Reply(354, "", "End data with <CR><LF>.<CR><LF>"))
        elif isinstance(event, events.Unknown):
            core.reply(Reply(500, "5.5.2", "Error: command not recognized"))
        elif isinstance(event, events.StartTls):
            core.reply(Reply(220, "2.0.0", "Ready to start TLS"))
            core.tls_started()
        else:
            core.reply(Reply(250, "2.0.0", f"Ok {event.verb}"))


class Chats(SynchronousTestCase):
    """One test a file."""

    def play(self, name: str) -> None:
        with open(os.path.join(HERE, name), encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file]
        options: dict[str, object] = {}
        peer: Yes | None = None
        heard: list[str] = []
        for number, line in enumerate(lines, 1):
            mark, text = line[:2], line[3:]
            where = f"{name}, line {number}"
            if mark == "O:":
                key, _, value = text.partition("=")
                options[key] = {"yes": True, "no": False}.get(value, value)
            elif mark in ("C:", "C!"):
                peer = peer or Yes(options)
                self.assertEqual([], heard, f"{where}: replies that nobody named")
                heard += peer.feed(text.encode() + b"\r\n" if mark == "C:" else _raw(text))
            elif mark == "S:":
                self.assertTrue(heard, f"{where}: the server said nothing more")
                self.assertEqual(text, heard.pop(0), where)
        self.assertEqual([], heard, f"{name}: replies that nobody named")


def _add(name: str) -> None:
    def test(self: Chats) -> None:
        self.play(name)

    setattr(Chats, "test_" + name.removesuffix(".chat").replace("-", "_"), test)


for _name in sorted(os.listdir(HERE)):
    if _name.endswith(".chat"):
        _add(_name)
