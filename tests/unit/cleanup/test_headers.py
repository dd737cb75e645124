"""Header fields: counted, logged, dropped, completed, rewritten; compared with what a running Postfix did."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.cleanup import FILTER, MAP
from pytwfix.mail.envelope import REQUIRETLS_ESMTP, REQUIRETLS_HEADER, SMTPUTF8_HEADER, Recipient
from tests.kit.submitting import Mailer, now

CHECKED = {"header_checks": "regexp:{ {/^X-Nothing:/ DUNNO} }"}  # makes cleanup go the long way

FIELDS = [
    b"From: joe\r\n",
    b"from: Joe X <joe@x.example>\r\n",
    b"To: a, b@c.d,\r\n\te@f.\r\n",
    b"Cc: grp: a;\r\n",
    b"Bcc: hidden\r\n more\r\n",
    b"Subject: x\r\n\ty\r\n",
    b"Date: now\r\n",
    b"Message-ID: <a@b>\r\n",
    b"Resent-Message-Id: <r@s>\r\n",
    b"Resent-Foo: 1\r\n",
    b"Resent-From: joe\r\n",
    b"Received: from x\r\n\tby y\r\n",
    b"Content-Type: text/plain\r\n",
    b"Content-Transfer-Encoding: 8bit\r\n",
    "X-Name: \u00e9\r\n".encode(),
    b"X: a\0b\r\n",
]


def field(mailer: Mailer, name: bytes) -> bytes:
    """The lines of a field in the one mail."""
    match = re.search(rb"^" + name + rb":.*\r\n(?:[ \t].*\r\n)*", mailer.mail().content, re.M | re.I)
    return match.group() if match else b""


class Fields(SynchronousTestCase):
    def both(self, content: bytes, **options: object) -> list[Mailer]:
        """The same mail from a stranger, on the short way and on the long way."""
        mailers = [Mailer(), Mailer(CHECKED)]
        for mailer in mailers:
            mailer.send(content, **options)  # type: ignore[arg-type]
        return mailers

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.sampled_from(FIELDS), max_size=8), st.sampled_from(["local", "remote"]), st.integers(0, 9))
    def test_ways_agree(self, fields: list[bytes], context: str, piece: int) -> None:
        """Whether fields are looked for or looked at one by one, the same mail and the same log come out."""
        content = b"".join(fields) + b"\r\nb\r\n"
        short, long = Mailer(), Mailer(CHECKED)
        for mailer in (short, long):
            mailer.send(content, context=context, piece=piece)
        self.assertEqual(short.mail().content, long.mail().content)
        self.assertEqual(short.lines, long.lines)
        self.assertEqual(short.mail().envelope, long.mail().envelope)

    def test_untouched(self) -> None:
        """CL-5, OB-14: a stranger's header goes on as it came, but for space before a colon."""
        content = b"from:  joe ,x\r\nTo : a%b\r\nSubject: y\r\n\tz : z\r\n\r\nb\r\n"
        self.assertEqual(content.replace(b"To :", b"To:"), self.both(content)[0].mail().content)

    def test_dropped(self) -> None:
        """CL-4: Bcc, Content-Length, Return-Path, Resent-Bcc are removed, continuation lines and all."""
        content = (
            b"Bcc: a,\r\n b\r\nA: 1\r\nReturn-Path: <x>\r\ncontent-length: 5\r\nResent-Bcc: q\r\nB: 2\r\n\r\nb\r\n"
        )
        for mailer in self.both(content):
            self.assertEqual(b"A: 1\r\nB: 2\r\n\r\nb\r\n", mailer.mail().content)

    def test_message_id(self) -> None:
        """CL-15, LG-7: message-id= and resent-message-id=, or <> for none."""
        content = b"Message-Id:   <a@b> (c)\r\nMessage-Id: <second>\r\nResent-Message-Id: <r@s>\r\n\r\nb\r\n"
        for mailer in self.both(content):
            self.assertEqual(
                ["Q1: message-id=<a@b> (c)", "Q1: message-id=<second>", "Q1: resent-message-id=<r@s>"], mailer.lines
            )
        for mailer in self.both(b"A: 1\r\n\r\nb\r\n"):
            self.assertEqual(["Q1: message-id=<>"], mailer.lines)

    def test_hops(self) -> None:
        """SD-50, OB-11: as many Received: lines as hopcount_limit are too many."""
        for main in ({}, CHECKED):
            Mailer(main).send(b"Received: x\r\n" * 49 + b"\r\nb\r\n")
            mailer = Mailer(main)
            self.assertEqual("554 5.4.0 Error: too many hops", mailer.refused(b"received: x\r\n" * 50 + b"\r\nb\r\n"))
            self.assertEqual("warning: Q1: message rejected: hopcount exceeded", mailer.lines[0])
            self.assertEqual({}, mailer.store.queues)

    def test_nul_and_length(self) -> None:
        """OB-11: NUL cuts a header line short, header_size_limit a header; neither is a reason to refuse."""
        for main in ({}, CHECKED):
            mailer = Mailer({**main, "header_size_limit": "100"})
            mailer.send(b"Subject: ca\0fe\r\nX-Long: " + b"x" * 200 + b"\r\n\r\nbo\0dy\r\n")
            self.assertEqual(b"Subject: ca\r\n", field(mailer, b"Subject"))
            self.assertEqual(102, len(field(mailer, b"X-Long")))
            self.assertTrue(mailer.mail().content.endswith(b"bo\0dy\r\n"))

    def test_eight_bit(self) -> None:
        """CL-9, CL-12: 8bit by header, in a part too; UTF-8 in headers is noted."""
        for mailer in self.both("Subject: é\r\nContent-Transfer-Encoding: 8BIT\r\n\r\nb\r\n".encode()):
            self.assertEqual("8bit", mailer.mail().envelope.encoding)
            self.assertEqual(SMTPUTF8_HEADER, mailer.mail().envelope.sendopts)
        nested = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
        nested += b"Content-transfer-encoding: 8bit\r\n\r\nb\r\n--x--\r\n"
        for mailer in self.both(nested):
            self.assertEqual("8bit", mailer.mail().envelope.encoding)

    def test_tls_required(self) -> None:
        """CL-13: TLS-Required: no, and Require-TLS-ESMTP."""
        for mailer in self.both(b"TLS-Required: No\r\n\r\nb\r\n"):
            self.assertEqual(REQUIRETLS_HEADER, mailer.mail().envelope.sendopts)
        for mailer in self.both(b"Require-TLS-ESMTP: yes\r\n\r\nb\r\n"):
            self.assertEqual(REQUIRETLS_ESMTP, mailer.mail().envelope.sendopts)
            self.assertEqual(1, mailer.mail().content.count(b"Require-TLS-ESMTP"))
        mailer = Mailer()
        transaction = mailer.begin()
        transaction.envelope.sendopts = REQUIRETLS_ESMTP
        now(transaction.recipient(Recipient(b"u@x.example")))
        transaction.body(b"A: 1\r\n\r\nb\r\n")
        now(transaction.commit())
        self.assertEqual(b"Require-TLS-ESMTP: yes\r\n", field(mailer, b"Require-TLS-ESMTP"))

    def test_missing(self) -> None:
        """CL-4: Message-Id, Date and From are added for our own users, after the header that is there."""
        mailer = Mailer()
        mailer.send(b"Subject: x\r\n\r\nb\r\n", sender=b"joe", context="local")
        self.assertEqual(
            b"Subject: x\r\nMessage-Id: <20231114221320.Q1@mx.lab.example>\r\n", mailer.mail().content[:60]
        )
        self.assertTrue(field(mailer, b"Date").startswith(b"Date: "))
        self.assertEqual(b"From: joe@lab.example\r\n", field(mailer, b"From"))
        self.assertEqual(["Q1: message-id=<20231114221320.Q1@mx.lab.example>"], mailer.lines)
        always = Mailer({"always_add_missing_headers": "yes", "undisclosed_recipients_header": "To: undisclosed:;"})
        always.send(b"Subject: x\r\n\r\nb\r\n", sender=b"")
        self.assertEqual(b"From: MAILER-DAEMON\r\n", field(always, b"From"))
        self.assertEqual(b"To: undisclosed:;\r\n", field(always, b"To"))

    def test_undisclosed(self) -> None:
        """CL-4: To and Cc name recipients, those of the first sending too; Bcc does not, as a running 3.7 has it."""
        for header, named in {
            b"To: a@b": True, b"Cc: a@b": True, b"Bcc: a@b": False, b"Resent-To: a@b": True, b"X: y": False,
            b"Resent-From: a@b": False, b"To: a@b\r\nResent-From: a@b": True, b"Apparently-To: a@b": False,
        }.items():  # fmt: skip
            for drop in "", "bcc":
                mailer = Mailer({"undisclosed_recipients_header": "X-To: nobody", "message_drop_headers": drop})
                mailer.send(header + b"\r\n\r\nb\r\n", context="local")
                self.assertEqual(not named, b"X-To: nobody" in mailer.mail().content, (header, drop))

    def test_kinds(self) -> None:
        """CL-2: whose tables apply to which field, as a running 3.7 has it."""
        mailer = Mailer({"sender_canonical_maps": "inline:{u@x=s@x}", "recipient_canonical_maps": "inline:{u@x=r@x}"})
        names = b"Reply-To Mail-Followup-To Return-Receipt-To Resent-Reply-To Apparently-To Mail-Reply-To".split()
        mailer.send(b"".join(name + b": u@x\r\n" for name in names) + b"\r\nb\r\n", context="local")
        values = [field(mailer, name).partition(b": ")[2] for name in names]
        self.assertEqual([b"s@x\r\n"] * 3 + [b"r@x\r\n"] * 2 + [b"u@x\r\n"], values)

    def test_resent(self) -> None:
        """CL-4: a mail that is sent on gets Resent- headers."""
        mailer = Mailer()
        mailer.send(b"Resent-To: a@b\r\nFrom: q@q.q\r\n\r\nb\r\n", context="local")
        content = mailer.mail().content
        self.assertIn(b"Resent-Message-Id: <20231114221320.Q1@mx.lab.example>\r\nResent-Date: ", content)
        self.assertIn(b"Resent-From: s@x.example\r\n\r\n", content)
        self.assertEqual(2, content.count(b"From:"))
        self.assertEqual(
            ["Q1: resent-message-id=<20231114221320.Q1@mx.lab.example>", "Q1: message-id=<>"], mailer.lines
        )

    def test_full_name(self) -> None:
        """CL-4: the full name of sendmail(1) in a From: that was missing."""
        for name, style, wanted in (
            (b"Joe User", "standard", b"From: Joe User <s@x.example>\r\n"),
            (b'Joe "J." U', "standard", b'From: "Joe \\"J.\\" U" <s@x.example>\r\n'),
            (b"Joe (x)", "obsolete", b"From: s@x.example (Joe \\(x\\))\r\n"),
            ("Zoë".encode(), "standard", b"From: =?utf-8?B?Wm/Dqw==?= <s@x.example>\r\n"),
        ):
            mailer = Mailer({"header_from_format": style})
            transaction = mailer.begin("local")
            transaction.envelope.full_name = name
            now(transaction.sender(b"s@x.example"))
            now(transaction.recipient(Recipient(b"u@x.example")))
            transaction.body(b"A: 1\r\n\r\nb\r\n")
            now(transaction.commit())
            self.assertEqual(wanted, field(mailer, b"From"))

    def test_nobodys_name(self) -> None:
        """CL-4: the null sender has no name."""
        mailer = Mailer()
        transaction = mailer.begin("local")
        transaction.envelope.full_name = b"Joe"
        now(transaction.sender(b""))
        now(transaction.recipient(Recipient(b"u@x.example")))
        transaction.body(b"A: 1\r\n\r\nb\r\n")
        now(transaction.commit())
        self.assertEqual(b"From: MAILER-DAEMON", field(mailer, b"From").strip().split(b"@")[0])

    def test_addresses(self) -> None:
        """CA-8, CL-2: addresses are completed and mapped, names and comments stay, long fields are folded."""
        mailer = Mailer(
            {
                "canonical_maps": "inline:{ c1@lab.example=c.one@lab.example }",
                "masquerade_domains": "!keep.masq.example, masq.example",
            }
        )
        mailer.send(
            b'From: Me Me <user>\r\nTo: joe, "Bob X" <bob%there>, (comment) al@host.,\r\n  grp: a@b, c;, c1\r\n'
            b"Cc: undisclosed-recipients:;\r\nSender: x!y\r\n"
            b"Reply-To: a@y.masq.example, b@keep.masq.example\r\n\r\nb\r\n",
            context="local",
        )
        for name, wanted in {
            b"From": b"From: Me Me <user@lab.example>\r\n",
            b"To": b'To: joe@lab.example, "Bob X" <bob@there>, al@host (comment),\r\n'
            b"\tgrp: a@b, c@lab.example;, c.one@lab.example\r\n",
            b"Cc": b"Cc: undisclosed-recipients:;\r\n",
            b"Sender": b"Sender: y@x\r\n",
            b"Reply-To": b"Reply-To: a@masq.example, b@keep.masq.example\r\n",
        }.items():
            self.assertEqual(wanted, field(mailer, name))

    def test_unchanged_addresses(self) -> None:
        """CA-8: a field whose addresses are fine keeps its spaces and folds."""
        for line in (b"To:   a@b.c ,d@e.f\r\n", b"To: a @ b . c\r\n", b'To: "x"<a@b.c>\r\n', b"To: <>\r\n"):
            mailer = Mailer()
            mailer.send(line + b"\r\nb\r\n", context="local")
            self.assertEqual(line, field(mailer, b"To"))

    def test_remote_domain(self) -> None:
        """SD-55: with remote_header_rewrite_domain strangers' headers are completed by it."""
        mailer = Mailer({"remote_header_rewrite_domain": "domain.invalid"})
        mailer.send(b"To: joe, a@b.c\r\n\r\nb\r\n")
        self.assertEqual(b"To: joe@domain.invalid, a@b.c\r\n", field(mailer, b"To"))

    def test_unterminated(self) -> None:
        """CL-9: non_empty_end_of_header_action, when a header ends without an empty line."""
        text = b"A: 1\r\nthis is no header\r\n"
        for main in ({}, CHECKED):
            fixed = Mailer(main)
            fixed.send(text)
            self.assertEqual(b"A: 1\r\n\r\nthis is no header\r\n", fixed.mail().content)
            marked = Mailer({**main, "non_empty_end_of_header_action": "add_header"})
            marked.send(text)
            self.assertIn(b"MIME-Error: ", field(marked, b"MIME-Error"))
            refusing = Mailer({**main, "non_empty_end_of_header_action": "reject"})
            self.assertTrue(refusing.refused(text).startswith("550 5.6.0 "))
            refusing.send(b"A: 1\r\n\r\nb\r\n")
            refusing.send(b"A: 1\r\n")

    def test_failing_map(self) -> None:
        """CA-5: a canonical table that fails for a header refuses the mail for now."""
        mailer = Mailer({"canonical_maps": "fail:x", "canonical_classes": "header_sender"})
        self.assertEqual(
            "451 4.3.0 Error: queue file write error", mailer.refused(b"From: joe\r\n\r\nb\r\n", context="local")
        )

    def test_extract(self) -> None:
        """SE-1 -t: recipients from To, Cc and Bcc, or from their Resent- kin."""
        for head, wanted in {
            b"To: a@b.c, Joe <d@e.f>\r\nCc: g\r\nBcc: h@i\r\n": [b"a@b.c", b"d@e.f", b"g@lab.example", b"h@i"],
            b"To: a@b.c\r\nResent-To: r@s\r\n": [b"r@s"],
        }.items():
            mailer = Mailer()
            transaction = mailer.begin("local", FILTER | MAP)
            transaction.extract_recipients()
            now(transaction.sender(b"s@x"))
            transaction.body(head + b"\r\nb\r\n")
            now(transaction.commit())
            self.assertEqual(wanted, mailer.recipients)
