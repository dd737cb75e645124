"""Filters of a session, on a network in memory."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.host import ILog
from pytwfix.contracts.milters import Verdict
from pytwfix.dialogs.milter import Edit
from pytwfix.mail.errors import MailError
from pytwfix.mail.reply import Reply
from pytwfix.net.milter.chain import Milters, connect_data
from pytwfix.net.milter.filters import parse_filters
from pytwfix.net.milter.macros import MacroLists
from pytwfix.settings.milter import MilterSettings
from tests.kit.host import MemoryHost
from tests.kit.scriptedmilter import CLOSE, STALL, MemoryMilter, Script
from tests.kit.smtpnet import MemoryNet

LATER = Reply(451, "4.7.1", "Service unavailable - try again later")
UNAVAILABLE = Reply(550, "5.5.0", "Service unavailable")
CLOSING = Reply(421, "4.7.0", "Server closing connection", hangup=True)
REJECTED = Reply(550, "5.7.1", "Command rejected")


class Values:
    """IMacros."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def macro(self, name: str) -> str | None:
        return self._values.get(name)


class Mail:
    """IFilteredMail."""

    def __init__(self, host: MemoryHost, body: bytes = b"body\r\n") -> None:
        self.log: ILog = host.log
        self.leading_space = False
        self.edits: list[Edit] = []
        self.kept: list[bool] = []
        self.error: MailError | None = None
        self._body = body

    def fields(self) -> list[tuple[bytes, bytes]]:
        return [(b"From", b" a@b"), (b"Subject", b" x\n y")]

    async def body(self, size: int) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), size):
            yield self._body[at : at + size]

    def edit(self, edit: Edit) -> Deferred[None] | None:
        if self.error is not None:
            raise self.error
        self.edits.append(edit)
        return None

    def replaced(self, kept: bool) -> None:
        self.kept.append(kept)


class Chain:
    """Filters by their scripts, and a session with them."""

    def __init__(self, *scripts: Script, values: Mapping[str, str] | None = None, **main: str) -> None:
        self.net = MemoryNet()
        main = {"milter_default_action": "tempfail", **main}
        self.host = MemoryHost(main, clock=self.net)
        cfg = self.host.settings(MilterSettings)
        names = []
        for place, script in enumerate(scripts):
            port = 1000 + place
            self.net.servers["192.0.2.9", port] = lambda script=script: MemoryMilter(script)  # type: ignore[misc]
            names.append(f"inet:192.0.2.9:{port}")
        self.filters = parse_filters(" ".join(names), cfg)
        self.milters = Milters(self.host, self.filters, MacroLists(cfg), Values(values or {}))

    def done(self, waiting: Deferred[Any]) -> Any:
        out: list[Any] = []
        waiting.addBoth(out.append)
        self.net.settle()
        assert out, "not done"
        return out[0]

    def connect(self) -> Verdict | None:
        verdict: Verdict | None = self.done(self.milters.connect("client.example", "192.0.2.1", "4711"))
        return verdict

    def reply(self, waiting: Deferred[Verdict | None]) -> Reply | None:
        verdict = self.done(waiting)
        return verdict.reply if isinstance(verdict, Verdict) else verdict

    def until(self, command: str) -> Any:
        """A whole session, up to the verdict of that command."""
        steps = {
            "C": lambda: self.milters.connect("client.example", "192.0.2.1", "4711"),
            "H": lambda: self.milters.helo("helo.example"),
            "M": lambda: self.milters.mail([b"<a@b>", b"SIZE=1"]),
            "R": lambda: self.milters.rcpt([b"<c@d>"]),
            "T": lambda: self.milters.data(),
            "E": lambda: self.milters.message(Mail(self.host)),
        }
        for letter, step in steps.items():
            verdict = self.done(step())
            if letter == command:
                return verdict
            assert verdict is None, (letter, verdict)
        raise AssertionError(command)


def _of_subject(answer: bytes, data: bytes) -> list[bytes]:
    return [answer if data.startswith(b"Subject") else b"c"]


class Sessions(SynchronousTestCase):
    def test_whole(self) -> None:
        """MI-2: all commands in order, each behind its macros."""
        script = Script()
        chain = Chain(script, values={"i": "Q1", "j": "mx", "daemon_name": "me"})
        self.assertIsNone(chain.until("E"))
        chain.milters.abort()
        chain.milters.close()
        chain.net.settle()
        self.assertEqual("OCHMRTLLNBEAQ", script.commands())
        self.assertEqual(b"client.example\0" + b"4" + struct.pack("!H", 4711) + b"192.0.2.1\0", script.data("C")[0])
        self.assertEqual([b"<a@b>\0SIZE=1\0"], script.data("M"))
        self.assertEqual([b"From\0a@b\0", b"Subject\0x\n y\0"], script.data("L"))
        self.assertEqual({"j": "mx", "{daemon_name}": "me"}, script.macros("C"))
        self.assertEqual({"i": "Q1"}, script.macros("E"))

    def test_addresses(self) -> None:
        """MI-2: family 4, 6, U."""
        self.assertEqual(b"h\x006\0\x19::1\0", connect_data("h", "::1", "25"))
        self.assertEqual(b"h\0U", connect_data("h", "unknown", "unknown"))

    def test_large_body(self) -> None:
        """MI-2: chunks of 65535 octets."""
        script = Script()
        chain = Chain(script)
        chain.connect()
        chain.done(chain.milters.message(Mail(chain.host, b"x" * 140000)))
        self.assertEqual([65535, 65535, 8930], [len(data) for data in script.data("B")])

    def test_not_told(self) -> None:
        """MI-2: events that a filter does without, and header fields that it does not answer."""
        script = Script(events=0x01 | 0x10 | 0x80 | 0x40)
        chain = Chain(script)
        self.assertIsNone(chain.until("E"))
        self.assertEqual("OHMRTLLE", script.commands())

    def test_leading_space(self) -> None:
        script = Script(events=0x100000)
        chain = Chain(script)
        chain.until("E")
        self.assertEqual(b"From\0 a@b\0", script.data("L")[0])

    def test_symbols(self) -> None:
        """MI-5: the filter's own list, and milter_macro_defaults for what has no value."""
        script = Script(symbols={2: b"i {auth_type} {x}"})
        chain = Chain(script, values={"i": "Q1"}, milter_macro_defaults="{ auth_type = none at all } x=y")
        chain.until("M")
        self.assertEqual({"i": "Q1", "{auth_type}": "none at all", "{x}": "y"}, script.macros("M"))

    def test_skip(self) -> None:
        """MI-3: no more of the body."""
        script = Script({"B": [b"s"]})
        chain = Chain(script)
        chain.connect()
        chain.done(chain.milters.message(Mail(chain.host, b"x" * 140000)))
        self.assertEqual("OCLLNBE", script.commands())

    def test_progress(self) -> None:
        """MI-3: a filter that takes its time says so, and its time begins anew."""
        script = Script({"R": [b"p", b"p", b"c"]})
        self.assertIsNone(Chain(script).until("R"))

    def test_header_decides(self) -> None:
        """MI-3: what is said of one header field ends the mail; nothing more of it is told, and the next one is."""
        for answer, verdict in ((b"a", None), (b"r", REJECTED), (b"y550 5.7.7 no\0", Reply(550, "5.7.7", "no"))):
            script = Script()
            script.answers["L"] = partial(_of_subject, answer)
            chain = Chain(script)
            self.assertEqual(verdict, getattr(chain.until("E"), "reply", None))
            chain.milters.abort()
            self.assertIsNone(chain.reply(chain.milters.mail([b"<a2@b>"])))
            self.assertEqual("OCHMRTLLAM", script.commands())

    def test_header_in_progress(self) -> None:
        """MI-3: for a field, too, and for the last one."""
        script = Script({"L": [b"p", b"c"], "N": [b"p", b"p", b"c"]})
        self.assertIsNone(Chain(script).until("E"))
        self.assertEqual("OCHMRTLLNBE", script.commands())

    def test_header_answers_at_once(self) -> None:
        """An answer that comes before its question counts as its answer."""
        script = Script({"L": lambda data: [b"c", b"c"] if data.startswith(b"From") else []})
        self.assertIsNone(Chain(script).until("E"))
        self.assertEqual("OCHMRTLLNBE", script.commands())

    def test_header_fails(self) -> None:
        """MI-4: the log names the command that was under way."""
        for command, name in (("L", "HEADER"), ("N", "EOH"), ("B", "BODY")):
            chain = Chain(Script({command: [CLOSE]}))
            self.assertEqual(LATER, chain.until("E").reply)
            self.assertIn(f"can't read SMFIC_{name} reply packet header: Connection lost", chain.host.log.lines[0])

    def test_nothing_is_answered(self) -> None:
        """MI-2: a filter that answers no field, nor the end of the header."""
        script = Script(events=0x80 | 0x40000)
        self.assertIsNone(Chain(script).until("E"))
        self.assertEqual("OCHMRTLLNBE", script.commands())

    def test_in_turn(self) -> None:
        """MI-8: the first that decides is the last that is asked."""
        first, second, third = Script(), Script({"R": [b"r"]}), Script()
        chain = Chain(first, second, third)
        self.assertEqual(REJECTED, chain.until("R").reply)
        self.assertEqual(["OCHMR", "OCHMR", "OCHM"], [one.commands() for one in (first, second, third)])


class Verdicts(SynchronousTestCase):
    def test_kinds(self) -> None:
        """MI-3."""
        for answer, reply in (
            (b"r", REJECTED), (b"t", LATER), (b"4", CLOSING), (b"y550 5.7.7 no\0", Reply(550, "5.7.7", "no")),
            (b"y421 4.3.2 bye\0", Reply(421, "4.3.2", "bye", hangup=True)),
        ):  # fmt: skip
            for command in "CHMRT":
                verdict = Chain(Script({command: [answer]})).until(command)
                self.assertEqual(("reject", reply), (verdict.kind, verdict.reply))
            self.assertEqual(reply, Chain(Script({"E": [answer]})).until("E").reply)

    def test_of_the_connection(self) -> None:
        """MI-4: what is said at CONNECT and HELO holds for the session; of a recipient, for that one alone."""
        script = Script({"H": [b"t"]})
        chain = Chain(script)
        chain.until("H")
        self.assertEqual(LATER, chain.reply(chain.milters.mail([b"<a@b>"])))
        self.assertEqual("OCH", script.commands())
        script = Script({"R": [b"r"]})
        chain = Chain(script)
        chain.until("R")
        self.assertIsNone(chain.reply(chain.milters.data()))

    def test_accept(self) -> None:
        """MI-3: of a connection for good, of a mail until it ends."""
        script = Script({"H": [b"a"]})
        self.assertIsNone(Chain(script).until("E"))
        self.assertEqual("OCH", script.commands())
        script = Script({"M": [b"a"]})
        chain = Chain(script)
        self.assertIsNone(chain.until("E"))
        chain.milters.abort()
        chain.reply(chain.milters.mail([b"<a2@b>"]))
        self.assertEqual("OCHMAM", script.commands())

    def test_discard(self) -> None:
        """MI-3: not for a connection."""
        chain = Chain(Script({"C": [b"d"]}))
        self.assertIsNone(chain.connect())
        self.assertIn("DISCARD action is not allowed for connect or helo", chain.host.log.lines[-1])
        self.assertEqual("discard", Chain(Script({"M": [b"d"]})).until("M").kind)

    def test_edits(self) -> None:
        """MI-3: in the order in which they come; a quarantine holds."""
        script = Script({"E": [b"hA\0b\0", b"p", b"qwhy\0", b"-<c@d>\0", b"c"]})
        chain = Chain(script)
        chain.connect()
        mail = Mail(chain.host)
        self.assertEqual("hold", chain.done(chain.milters.message(mail)).kind)
        self.assertEqual([b"h", b"-"], [edit.kind for edit in mail.edits])

    def test_new_body(self) -> None:
        """MI-3: it stands when the filter says so."""
        for last, kept in ((b"c", True), (b"r", False)):
            chain = Chain(Script({"E": [b"bone", b"btwo", last]}))
            chain.connect()
            mail = Mail(chain.host)
            chain.done(chain.milters.message(mail))
            self.assertEqual([kept], mail.kept)

    def test_our_own_refusal(self) -> None:
        """MI-6: what we find wrong with an edit refuses the mail, and the filter is still of use."""
        chain = Chain(Script({"E": [b"hA\0b\0", b"c"]}))
        chain.connect()
        mail = Mail(chain.host)
        mail.error = MailError(Reply(550, "5.7.1", "no"))
        failure = chain.done(chain.milters.message(mail))
        self.assertIs(mail.error, failure.value)
        chain.milters.abort()
        self.assertIsNone(chain.reply(chain.milters.mail([b"<a@b>"])))

    def test_refused_recipients(self) -> None:
        """MI-2: told to those who ask for them."""
        deaf, curious = Script(), Script(events=0x800)
        chain = Chain(deaf, curious)
        chain.until("M")
        self.assertTrue(chain.milters.refused_recipients)
        chain.done(chain.milters.rcpt([b"<no@d>"], refused=True))
        self.assertEqual(["OCHM", "OCHMR"], [deaf.commands(), curious.commands()])


class Failures(SynchronousTestCase):
    """MI-4: the default action, which holds for the rest of the session."""

    def test_nobody_there(self) -> None:
        for action, reply in (
            ("accept", None), ("reject", UNAVAILABLE), ("tempfail", LATER), ("shutdown", CLOSING),
        ):  # fmt: skip
            chain = Chain(milter_default_action=action)
            (gone,) = parse_filters("inet:192.0.2.9:1", chain.host.settings(MilterSettings))
            chain.milters = Milters(chain.host, [gone], MacroLists(chain.host.settings(MilterSettings)), Values({}))
            verdict = chain.connect()
            self.assertEqual(reply, verdict.reply if verdict else None)
            self.assertEqual(
                ["warning: connect to Milter service inet:192.0.2.9:1: Connection refused"], chain.host.log.lines
            )

    def test_nobody_answers(self) -> None:
        """MI-1: milter_connect_timeout."""
        chain = Chain(Script(), milter_connect_timeout="3s")
        chain.net.servers["192.0.2.9", 1000] = None
        waiting = chain.milters.connect("c", "192.0.2.1", "1")
        chain.net.advance(3)
        self.assertEqual(LATER, chain.reply(waiting))
        self.assertIn("connect to Milter service inet:192.0.2.9:1000: Connection timed out", chain.host.log.lines[0])

    def test_stalls(self) -> None:
        """MI-1: milter_command_timeout and milter_content_timeout."""
        for command, wait, name in (("R", 5, "RCPT"), ("E", 7, "BODYEOB"), ("O", 5, "OPTNEG")):
            chain = Chain(
                Script({command: [STALL]}), milter_command_timeout="5s", milter_content_timeout="7s"
            )
            out: list[Any] = []
            step = {"R": chain.milters.rcpt, "E": lambda _, chain=chain: chain.milters.message(Mail(chain.host))}
            if command != "O":
                chain.connect()
                step[command]([b"<c@d>"]).addBoth(out.append)
            else:
                chain.milters.connect("c", "192.0.2.1", "1").addBoth(out.append)
            chain.net.settle()
            chain.net.advance(wait - 1)
            self.assertEqual([], out)
            chain.net.advance(1)
            chain.net.settle()
            self.assertEqual(LATER, out[0].reply)
            self.assertIn(f"can't read SMFIC_{name} reply packet header: Connection timed out", chain.host.log.lines[0])

    def test_dies(self) -> None:
        for command in "OCHMRT":
            script = Script({command: [CLOSE]})
            chain = Chain(script, milter_default_action="quarantine")
            self.assertEqual("hold", chain.until("C" if command == "O" else command).kind)
            self.assertEqual("hold", chain.done(chain.milters.message(Mail(chain.host))).kind)
            self.assertEqual(command, script.commands()[-1])

    def test_out_of_turn(self) -> None:
        """An answer that does not belong here."""
        for command, answer, text in (
            ("R", b"hA\0b\0", "unexpected filter response SMFIR_ADDHEADER after event SMFIC_RCPT"),
            ("C", b"f", "unexpected filter response SMFIR_CONN_FAIL after event SMFIC_CONNECT"),
            ("E", b"Z", "unexpected filter response (unknown filter reply) after event SMFIC_BODYEOB"),
        ):
            chain = Chain(Script({command: [answer]}))
            self.assertEqual(LATER, chain.until(command).reply)
            self.assertEqual([f"warning: milter inet:192.0.2.9:1000: {text}"], chain.host.log.lines)

    def test_misconfigured(self) -> None:
        """A reply that is none, a body in the middle of other edits."""
        for edits in ([b"y250 ok\0"], [b"bx", b"hA\0b\0", b"c"]):
            verdict = Chain(Script({"E": edits})).until("E")
            self.assertEqual(Reply(451, "4.3.5", "Server configuration problem - try again later"), verdict.reply)

    def test_dies_in_body(self) -> None:
        """MI-4: half a new body is never taken, whatever the default action says."""
        chain = Chain(Script({"E": [b"bhalf", CLOSE]}), milter_default_action="accept")
        chain.connect()
        mail = Mail(chain.host)
        self.assertEqual(LATER, chain.reply(chain.milters.message(mail)))
        self.assertEqual([False], mail.kept)
