"""Whatever a client sends, in whatever pieces: nothing is raised, memory is bounded, replies stay in order."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs import smtp_events as events
from pytwfix.dialogs.lines import LINE_PART
from pytwfix.dialogs.smtp_server import Rules, SmtpServer
from pytwfix.mail.paths import parse_path
from pytwfix.mail.reply import Reply

WORDS = [
    b"EHLO x\r\n", b"HELO x\r\n", b"MAIL FROM:<a@b.c>\r\n", b"MAIL FROM:<>", b"RCPT TO:<d@e.f>\r\n", b"DATA\r\n",
    b"BDAT 5\r\n", b"BDAT 3 LAST\r\n", b"BDAT 0\r\n", b"BDAT", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"STARTTLS\r\n",
    b"VRFY x\r\n", b"ETRN x\r\n", b"AUTH PLAIN x\r\n", b"XCLIENT ADDR=1.2.3.4\r\n", b"XFORWARD NAME=x\r\n", b".\r\n",
    b"\r\n.\r\n", b"\n.\n", b"\r\n", b"\n", b"\r", b".", b"abc", b"\xff\xfe", b"\0", b"SIZE=1", b" ", b"<", b">", b'"',
]  # fmt: skip
INTRO = b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\n"
PIECES = st.tuples(
    st.sampled_from([b"", INTRO, INTRO + b"DATA\r\n", INTRO + b"BDAT 7\r\n"]),
    st.lists(st.sampled_from(WORDS) | st.sampled_from(WORDS) | st.binary(max_size=20), min_size=4, max_size=40),
).map(lambda pair: [pair[0], *pair[1]])
ANSWERS = st.lists(st.booleans(), max_size=60)
OPTIONS = st.fixed_dictionaries(
    {name: st.booleans() for name in ("lenient_lf", "reject_lf", "tls_offered", "xclient", "xforward", "xverp")}
)
FAST = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


class Client:
    """Answers as it is told, and checks that each event is answered by the very next reply."""

    def __init__(self, test: SynchronousTestCase, answers: list[bool], options: dict[str, bool]) -> None:
        self.test = test
        self.answers = list(answers)
        self.core = SmtpServer(Rules(forbid_pipelining=False))
        for name, value in options.items():
            setattr(self.core, name, value)
        self.body = b""
        self.expected: list[bytes] = []
        self.log: list[str] = []

    def feed(self, data: bytes) -> None:
        self.core.receive(data)
        turns = 0
        while isinstance(event := self.core.next_event(), events.Event):
            self.one(event)
            turns += 1
            self.test.assertLess(turns, 3 * len(data) + 50, "no end")
        self.test.assertLessEqual(self.core.pending, max(LINE_PART, self.core.rules.line_limit) + len(data))

    def one(self, event: events.Event) -> None:
        if isinstance(event, events.Body):
            self.body += event.data
            return
        self.log.append(type(event).__name__)
        yes = self.answers.pop() if self.answers else True
        if isinstance(event, events.Bdat) and yes:
            self.core.accept_chunk()
            return
        reply = event.reply if isinstance(event, (events.Refused, events.ClosedByPolicy)) else _reply(event, yes)
        reply = reply._replace(text=f"{len(self.expected)} {reply.text}")
        self.expected.append(reply.wire())
        self.core.reply(reply)
        if isinstance(event, events.StartTls) and yes:
            self.core.tls_started()


def _reply(event: events.Event, yes: bool) -> Reply:
    if not yes:
        return Reply(450, "4.0.0", "no")
    return Reply(354, "", "go") if isinstance(event, events.Data) else Reply(250, "2.0.0", "yes")


class Fuzz(SynchronousTestCase):
    @FAST
    @given(PIECES, ANSWERS, OPTIONS)
    def test_anything(self, pieces: list[bytes], answers: list[bool], options: dict[str, bool]) -> None:
        client = Client(self, answers, options)
        said = b""
        for piece in pieces:
            client.feed(piece)
            said += client.core.data_to_send()
        # A refused chunk is answered when it has been read: that reply may still be on its way.
        self.assertTrue(b"".join(client.expected).startswith(said))

    @FAST
    @given(PIECES, ANSWERS, OPTIONS, st.integers(1, 7))
    def test_pieces_do_not_matter(
        self, pieces: list[bytes], answers: list[bool], options: dict[str, bool], size: int
    ) -> None:
        """The same bytes in one piece and in many give the same replies and the same body. STARTTLS is left out: there
        it does matter what was sent ahead."""
        options = {**options, "tls_offered": False}
        data = b"".join(pieces)
        whole, parts = Client(self, answers, options), Client(self, answers, options)
        whole.feed(data)
        for at in range(0, len(data), size):
            parts.feed(data[at : at + size])
        self.assertEqual(whole.log, parts.log)
        self.assertEqual(whole.body, parts.body)
        self.assertEqual(whole.core.data_to_send(), parts.core.data_to_send())

    @FAST
    @given(st.one_of(st.binary(max_size=60), st.text(alphabet='<>@."\\(),;:[] ab\x00é-', max_size=30).map(str.encode)))
    def test_paths(self, path: bytes) -> None:
        for strict in (False, True):
            address = parse_path(path, strict)
            self.assertTrue(address is None or isinstance(address, bytes))
