"""virtual: from an address to a mailbox, with the host in memory."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.asuser import AsUserError, Identity
from pytwfix.contracts.delivery import VERIFY_ONLY, DeliveryResult
from pytwfix.deliver.virtual.service import VirtualAgent
from tests.kit.asuser import MemoryAsUser
from tests.kit.delivering import MemoryReports, delivery
from tests.kit.host import MemoryHost

_MAIN = {
    "virtual_mailbox_base": "/vmail",
    "virtual_mailbox_maps": "inline:{ md@vm.example=md/, mb@vm.example=mb, nouid@vm.example=n/, bad@vm.example=b/,"
    " low@vm.example=l/, @all.example=all/ }",
    "virtual_uid_maps": "inline:{ md@vm.example=1008, mb@vm.example=1008, bad@vm.example=abc, low@vm.example=99,"
    " @all.example=1009 }",
    "virtual_gid_maps": "static:8",
    "recipient_delimiter": "+",
}


class VirtualTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asuser = MemoryAsUser()
        self.reports = MemoryReports()

    def deliver(
        self, *recipients: bytes, flags: int = 0, sender: bytes = b"a@b.example", **main: str
    ) -> DeliveryResult:
        self.host = MemoryHost({**_MAIN, **main}, "virtual", "virtual", asuser=self.asuser, reports=self.reports)
        self.request = delivery(*recipients, transport="virtual", flags=flags, sender=sender)
        result: Any = self.successResultOf(VirtualAgent(self.host).deliver(self.request))
        return result  # type: ignore[no-any-return]

    def logged(self, *words: str) -> None:
        for word in words:
            self.assertTrue(any(word in line for line in self.host.log.lines), self.host.log.lines)

    @property
    def marked(self) -> list[bytes]:
        return [one.address for one in self.request.message.marked]  # type: ignore[union-attr]

    def test_maildir(self) -> None:
        """VI-1, LO-4: the extension does not matter for the place but is told; no From line, no quoting."""
        self.deliver(b"md+tag@vm.example")
        ((who, write),) = self.asuser.written
        self.assertEqual((who, write.path), (Identity(1008, 8), "/vmail/md/"))
        self.assertEqual(
            write.data,
            b"Return-Path: <a@b.example>\nX-Original-To: md+tag@vm.example\nDelivered-To: md+tag@vm.example\n"
            b"Subject: x\n\nFrom here\nbye\n",
        )
        self.logged("QID1: to=<md+tag@vm.example>, relay=virtual", "dsn=2.0.0, status=sent (delivered to maildir)")
        self.assertEqual(self.marked, [b"md+tag@vm.example"])

    def test_mbox(self) -> None:
        """VI-1, LO-4: From line, >From quoting, an empty line at the end; the null sender is MAILER-DAEMON there."""
        self.deliver(b"mb@vm.example", sender=b"")
        ((_, write),) = self.asuser.written
        self.assertEqual(write.path, "/vmail/mb")
        self.assertRegex(
            write.data, rb"^From MAILER-DAEMON  \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\nReturn-Path: <>\n"
        )
        self.assertTrue(write.data.endswith(b"\n\n>From here\nbye\n\n"))
        self.assertEqual(list(write.locks), ["fcntl", "dotlock"])
        self.logged("status=sent (delivered to mailbox)")

    def test_catch_all(self) -> None:
        """VI-1: @domain."""
        self.deliver(b"who@all.example")
        self.assertEqual(self.asuser.paths, ["/vmail/all/"])

    def test_unknown_user(self) -> None:
        """VI-1: in no table: 5.1.1."""
        self.deliver(b"no@vm.example")
        self.logged('dsn=5.1.1, status=bounced (unknown user: "no@vm.example")')
        self.assertEqual(self.asuser.paths, [])

    def test_bad_ids(self) -> None:
        """VI-1: missing, malformed and too small uids defer with 4.3.5 and say which in the log."""
        result = self.deliver(b"nouid@vm.example", b"bad@vm.example", b"low@vm.example")
        self.logged(
            "warning: recipient nouid@vm.example: not found in virtual_uid_maps",
            "warning: recipient bad@vm.example: bad uid abc in virtual_uid_maps",
            "warning: recipient low@vm.example: bad uid 99 in virtual_uid_maps",
            "dsn=4.3.5, status=deferred (mail system configuration error)",
        )
        self.assertEqual((len(result.deferred), self.marked), (3, []))

    def test_table_failure(self) -> None:
        """VI-1, LK-1: a table that does not answer defers with 4.3.5."""
        self.deliver(b"md@vm.example", virtual_mailbox_maps="fail:x")
        self.logged(
            "dsn=4.3.5, status=deferred (mail system configuration error)",
            "warning: table virtual_mailbox_maps: lookup md@vm.example",
        )

    def test_full(self) -> None:
        """VI-1: over virtual_mailbox_limit: 5.2.2."""
        self.asuser.trouble["/vmail/mb"] = AsUserError("toolarge", "error writing message: File too large")
        self.deliver(b"mb@vm.example")
        self.logged(
            "dsn=5.2.2, status=bounced (delivery failed to mailbox /vmail/mb: error writing message: File too large)"
        )

    def test_no_access(self) -> None:
        """VI-1: a Maildir that may not be written defers with 4.2.0, with a hint in the log."""
        text = "create maildir file /vmail/md/tmp/1: Permission denied"
        self.asuser.trouble["/vmail/md/"] = AsUserError("denied", text)
        self.deliver(b"md@vm.example")
        self.logged(
            f"warning: maildir access problem for UID/GID=1008/8: {text}",
            f"dsn=4.2.0, status=deferred (maildir delivery failed: {text})",
        )

    def test_verify(self) -> None:
        """SE-1, VI-1: only told what would be done."""
        self.deliver(b"md@vm.example", b"mb@vm.example", flags=VERIFY_ONLY)
        self.logged("status=deliverable (delivers to maildir)", "status=deliverable (delivers to mailbox)")
        self.assertEqual(self.asuser.paths, [])

    def test_no_original_recipient(self) -> None:
        """LO-4: enable_original_recipient = no."""
        self.deliver(b"md@vm.example", enable_original_recipient="no")
        self.assertNotIn(b"X-Original-To", self.asuser.written[0][1].data)

    def test_bytes(self) -> None:
        """Addresses and paths that are not UTF-8 do not break anything."""
        self.deliver(b"\xff\xfe@all.example", b"\xff@vm.example")
        self.logged("status=sent", "status=bounced")
