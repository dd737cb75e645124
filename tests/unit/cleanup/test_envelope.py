"""Sender and recipients: what a running Postfix made of the same addresses with the same tables."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.cleanup import FILTER, INTERNAL, MAP
from pytwfix.contracts.reports import TRACE
from pytwfix.mail.envelope import SMTPUTF8_RECIPIENT, SMTPUTF8_SENDER, Recipient
from pytwfix.mail.status import NOTIFY_NEVER, NOTIFY_SUCCESS
from tests.kit.submitting import Mailer, now

BODY = b"A: 1\r\n\r\nb\r\n"
TABLES = {
    "recipient_delimiter": "+",
    "virtual_alias_domains": "va.example",
    "virtual_alias_maps": "inline:{ {v1@va.example = a@x.example b@x.example}, {list@lab.example = l1, l2@z},"
    " {loop@lab.example = loop@lab.example, other@x.example}, {@cat.example = @dog.example},"
    " {bare = found@x.example}, {one@x.example = two@x.example}, {two@x.example = one@x.example} }",
    "canonical_maps": "inline:{ {c1@lab.example = c.one@lab.example}, {ca@lab.example = cb@lab.example},"
    " {cb@lab.example = ca@lab.example}, {multi@lab.example = a@x b@x} }",
    "masquerade_domains": "!keep.masq.example, masq.example",
    "masquerade_exceptions": "root",
    "recipient_bcc_maps": "inline:{ bccme@x.example=copy@x.example }",
    "sender_bcc_maps": "inline:{ sbcc@x.example=scopy@x.example }",
}


class Envelopes(SynchronousTestCase):
    def expand(self, *recipients: bytes, **main: str) -> list[bytes]:
        mailer = Mailer({**TABLES, **main})
        mailer.send(BODY, recipients=recipients)
        return mailer.recipients

    def test_rewritten(self) -> None:
        """CA-1: envelope addresses are completed in local context, whatever the client's is."""
        mailer = Mailer()
        mailer.send(BODY, sender=b"joe", recipients=(b"bob", b"a%b"))
        self.assertEqual(b"joe@lab.example", mailer.mail().envelope.sender)
        self.assertEqual([b"bob@lab.example", b"a@b"], mailer.recipients)

    def test_mailer_daemon(self) -> None:
        """CA-2: MAILER-DAEMON at a domain of ours is the null sender."""
        for sender, wanted in {
            b"mailer-daemon@lab.example": b"",
            b"MAILER-DAEMON": b"",
            b"mailer-daemon@x.example": b"mailer-daemon@x.example",
        }.items():
            mailer = Mailer()
            mailer.send(BODY, sender=sender)
            self.assertEqual(wanted, mailer.mail().envelope.sender)

    def test_empty_recipient(self) -> None:
        """CA-3: mail for the null address goes to empty_address_recipient."""
        mailer = Mailer()
        mailer.send(BODY, recipients=(b"",))
        self.assertEqual([b"MAILER-DAEMON@lab.example"], mailer.recipients)

    def test_aliases(self) -> None:
        """CL-2, CL-3, CA-3: virtual aliases, extensions, @domain, a name in its own expansion."""
        self.assertEqual(
            [b"a@x.example", b"b@x.example", b"a+e@x.example", b"b+e@x.example"],
            self.expand(b"v1@va.example", b"V1+e@va.example"),
        )
        self.assertEqual([b"l1@lab.example", b"l2@z"], self.expand(b"list@lab.example"))
        self.assertEqual([b"loop@lab.example", b"other@x.example"], self.expand(b"loop@lab.example"))
        self.assertEqual([b"x@dog.example"], self.expand(b"x@cat.example"))
        self.assertEqual([b"found@x.example"], self.expand(b"bare@lab.example"))

    def test_circle(self) -> None:
        """CL-2: aliases that point at each other have no end, and no mail."""
        mailer = Mailer(TABLES)
        self.assertEqual("451 4.6.0 Alias expansion error", mailer.refused(BODY, recipients=(b"one@x.example",)))
        self.assertEqual(
            "warning: Q1: unreasonable virtual_alias_maps map nesting for one@x.example -- message not accepted, "
            "try again later",
            mailer.lines[0],
        )

    def test_limits(self) -> None:
        """CL-2: too many results, too deep, too long: not accepted now."""
        many = " ".join(f"u{n}@x" for n in range(20))
        for main in (
            {"virtual_alias_maps": f"inline:{{ {{a@x = {many}}} }}", "virtual_alias_expansion_limit": "10"},
            {"virtual_alias_maps": "inline:{ {a@x = b@x}, {b@x = c@x}, {c@x = d@x} }",
             "virtual_alias_recursion_limit": "2"},
            {"virtual_alias_maps": f"inline:{{ {{a@x = {'u' * 200}@x}} }}",
             "virtual_alias_address_length_limit": "100"},
        ):  # fmt: skip
            mailer = Mailer(main)
            self.assertEqual("451 4.6.0 Alias expansion error", mailer.refused(BODY, recipients=(b"a@x",)))
            self.assertIn("try again later", mailer.lines[0])

    def test_canonical(self) -> None:
        """CA-4: again and again until nothing changes, ten times at most."""
        mailer = Mailer(TABLES)
        mailer.send(BODY, sender=b"c1@lab.example", recipients=(b"c1+ext@lab.example", b"ca@lab.example"))
        self.assertEqual(b"c.one@lab.example", mailer.mail().envelope.sender)
        self.assertEqual([b"c.one+ext@lab.example", b"ca@lab.example"], mailer.recipients)
        self.assertIn("unreasonable canonical_maps map nesting", mailer.lines[0])

    def test_canonical_to_many(self) -> None:
        """CA-4: of two addresses for one in canonical_maps the first counts, and it is told."""
        mailer = Mailer(TABLES)
        mailer.send(BODY, recipients=(b"multi@lab.example",))
        self.assertEqual([b"a@x"], mailer.recipients)
        warning = "multi-valued canonical_maps entry for multi@lab.example"
        self.assertTrue([line for line in mailer.lines if line.endswith(f": {warning}")], mailer.lines)

    def test_masquerade(self) -> None:
        """CA-6: senders are masqueraded by default, recipients are not."""
        mailer = Mailer(TABLES)
        mailer.send(BODY, sender=b"joe@z.masq.example", recipients=(b"joe@z.masq.example",))
        self.assertEqual(b"joe@masq.example", mailer.mail().envelope.sender)
        self.assertEqual([b"joe@z.masq.example"], mailer.recipients)

    def test_copies(self) -> None:
        """CA-2, CA-3: sender_bcc_maps, recipient_bcc_maps, always_bcc; copies want no notice."""
        mailer = Mailer({**TABLES, "always_bcc": "always@x.example"})
        mailer.send(BODY, sender=b"sbcc@x.example", recipients=(b"bccme@x.example", b"q@x.example"))
        self.assertEqual(
            [b"scopy@x.example", b"bccme@x.example", b"copy@x.example", b"q@x.example", b"always@x.example"],
            mailer.recipients,
        )
        copy = mailer.mail().envelope.recipients[0]
        self.assertEqual(b"rfc822;scopy@x.example", copy.orcpt)
        notify = [recipient.notify for recipient in mailer.mail().envelope.recipients]
        self.assertEqual([NOTIFY_NEVER, 0, NOTIFY_NEVER, 0, NOTIFY_NEVER], notify)

    def test_no_bcc(self) -> None:
        """CA-3: no copies of mail that we make or forward ourselves."""
        for flags, service in ((INTERNAL | MAP, "bounce"), (MAP, "local")):
            mailer = Mailer({**TABLES, "always_bcc": "always@x.example"})
            sender, to = b"sbcc@x.example", (b"bccme@x.example",)
            mailer.send(BODY, sender=sender, recipients=to, flags=flags, service=service)
            self.assertEqual([b"bccme@x.example"], mailer.recipients)

    def test_no_mappings(self) -> None:
        """SD-52: without the flag MAP no table applies, but addresses are still completed."""
        mailer = Mailer({**TABLES, "always_bcc": "always@x.example"})
        mailer.send(BODY, recipients=(b"list", b"bccme@x.example"), flags=FILTER)
        self.assertEqual([b"list@lab.example", b"bccme@x.example"], mailer.recipients)

    def test_duplicates(self) -> None:
        """CA-9: the key is all that a report would show, or the final address alone, whatever its case."""
        twice = (b"u@x.example", b"u@x.example", b"U@x.example", b"v1@va.example", b"a@x.example")
        self.assertEqual([b"u@x.example", b"a@x.example", b"b@x.example", b"a@x.example"], self.expand(*twice))
        self.assertEqual(
            [b"u@x.example", b"a@x.example", b"b@x.example"], self.expand(*twice, enable_original_recipient="no")
        )

    def test_original_recipient(self) -> None:
        """CA-7: what the recipient was called first, for reports."""
        mailer = Mailer(TABLES)
        mailer.send(BODY, recipients=(b"list",))
        first = mailer.mail().envelope.recipients[0]
        self.assertEqual((b"list", b"rfc822;list@lab.example"), (first.original, first.orcpt))

    def test_expanded_report(self) -> None:
        """CA-9: a report of success says that an alias was expanded, and its results are not reported again."""
        mailer = Mailer(TABLES)
        transaction = mailer.begin()
        now(transaction.sender(b"s@x.example"))
        now(transaction.recipient(Recipient(b"list@lab.example", notify=NOTIFY_SUCCESS)))
        transaction.body(BODY)
        now(transaction.commit())
        ((_, reports),) = mailer.reports.records.items()
        self.assertEqual([("expanded", "2.0.0")], [(one.dsn.action, one.dsn.status) for one in reports])
        self.assertEqual([(TRACE, "Q1")], mailer.reports.notices)
        self.assertEqual({NOTIFY_NEVER}, {one.notify for one in mailer.mail().envelope.recipients})

    def test_no_report_without_mail(self) -> None:
        """CA-9: a mail that is not taken is not reported on."""
        mailer = Mailer(TABLES)
        transaction = mailer.begin()
        now(transaction.recipient(Recipient(b"list@lab.example", notify=NOTIFY_SUCCESS)))
        transaction.abort()
        self.assertEqual({}, mailer.reports.records)

    def test_failing_table(self) -> None:
        """CA-5: a table that fails: try again later, and the log says which."""
        mailer = Mailer({"virtual_alias_maps": "fail:x"})
        said = mailer.refused(BODY, recipients=(b"u@x.example",))
        self.assertEqual("451 4.3.0 Error: queue file write error", said)
        self.assertIn(
            "warning: Q1: virtual_alias_maps map lookup problem for u@x.example -- message not accepted, "
            "try again later",
            mailer.lines,
        )

    def test_smtputf8(self) -> None:
        """CL-12: what needs SMTPUTF8 is noted."""
        mailer = Mailer(TABLES)
        mailer.send(BODY, sender="é@x".encode(), recipients=("ü@x".encode(),), flags=MAP)
        self.assertEqual(SMTPUTF8_SENDER | SMTPUTF8_RECIPIENT, mailer.mail().envelope.sendopts)
        self.assertEqual("utf-8;ü@x".encode(), mailer.mail().envelope.recipients[0].orcpt)
