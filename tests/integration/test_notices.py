"""What senders are told: bounces, success notices, address reports; and when nobody can be told (BO-*, DS-*)."""

from __future__ import annotations

import email
from collections.abc import Mapping
from email.message import Message

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.sinks import Received
from tests.kit.waiting import wait_for


class NoticeWorld(World):
    """An alias domain, and postmaster's copies of bounces."""

    def main(self) -> Mapping[str, str]:
        return {
            "virtual_alias_domains": "alias.example",
            "virtual_alias_maps": "inline:{ {one@alias.example=somebody@far.example} "
            "{postmaster@test.example=pm@far.example} }",
            "notify_classes": "resource, software, 2bounce",
        }


@in_each_mode
class Notices(WorldCase):
    """Every notice is a multipart/report from the null sender."""

    world_class = NoticeWorld

    def parts(self, notice: Received) -> list[Message]:
        parsed = email.message_from_bytes(notice.content)
        self.assertEqual((notice.sender, parsed.get_content_type()), ("", "multipart/report"))
        parts = parsed.get_payload()
        assert isinstance(parts, list)
        found: list[Message] = [part for part in parts if isinstance(part, Message)]
        return found

    def test_bounce(self) -> None:
        """BO-1, DS-1: text, status and the mail itself."""
        token = self.world.send("perm-a@far.example", sender="s1@far.example", body="the body\r\n")
        notice = self.world.got("To: s1@far.example")
        text, status, original = self.parts(notice)
        self.assertIn("<perm-a@far.example>: host 127.0.0.1[127.0.0.1] said: 550", str(text.get_payload()))
        fields = notice.text.partition("message/delivery-status")[2]
        self.assertEqual(status.get_content_type(), "message/delivery-status")
        for wanted in (
            "Reporting-MTA: dns; mx.test.example", "X-Postfix-Sender: rfc822; s1@far.example",
            "Final-Recipient: rfc822; perm-a@far.example", "Action: failed", "Status: 5.1.1",
            "Remote-MTA: dns; 127.0.0.1", "Diagnostic-Code: smtp; 550 5.1.1 recipient refused by the sink",
        ):  # fmt: skip
            self.assertIn(wanted + "\n", fields)
        self.assertEqual(original.get_content_type(), "message/rfc822")
        self.assertIn(token, notice.text)
        self.assertIn("the body\n", notice.text)
        self.assertLogged(r"bounce\[\d+\]: \w+: sender non-delivery notification: \w+")

    def test_headers_only(self) -> None:
        """DS-1: RET=HDRS, and the sender's ENVID and ORCPT come back."""
        self.world.send(
            "perm-b@far.example", sender="s2@far.example", body="secret body\r\n", mail=["RET=HDRS", "ENVID=my+2Bid"],
            rcpt=["NOTIFY=FAILURE", "ORCPT=rfc822;orig@old.example"],
        )  # fmt: skip
        notice = self.world.got("To: s2@far.example")
        self.assertEqual(self.parts(notice)[2].get_content_type(), "text/rfc822-headers")
        self.assertNotIn("secret body", notice.text)
        self.assertIn("Original-Envelope-Id: my+id\n", notice.text)
        self.assertIn("Original-Recipient: rfc822;orig@old.example\n", notice.text)

    def test_never(self) -> None:
        """DS-3: NOTIFY=NEVER."""
        mark = self.system.mark()
        self.world.send("perm-c@far.example", sender="s3@far.example", rcpt=["NOTIFY=NEVER"])
        self.assertLogged(r"to=<perm-c@far\.example>, .*status=bounced", mark)
        self.assertLogged(r"removed", mark)
        self.pause(0.5)
        self.assertEqual(self.world.sink.all("To: s3@far.example"), [])

    def test_success(self) -> None:
        """DS-*: NOTIFY=SUCCESS for an alias tells that it was expanded and that it goes on."""
        self.world.send("one@alias.example", sender="s4@far.example", rcpt=["NOTIFY=SUCCESS"])
        notice = self.world.got("To: s4@far.example")
        self.assertIn("Subject: Successful Mail Delivery Report\n", notice.text)
        self.assertRegex(notice.text, r"Action: (relayed|expanded)\n")

    def test_after_data(self) -> None:
        """DS-1: refused after the end of data."""
        self.world.send("dataperm-d@far.example", sender="s5@far.example")
        notice = self.world.got("To: s5@far.example")
        self.assertIn("Status: 5.7.1\n", notice.text)
        self.assertIn("(in reply to end of DATA command)", notice.text)

    def test_double_bounce(self) -> None:
        """BO-2, BO-3: a notice that bounces goes to postmaster, once."""
        token = self.world.send("perm-e@far.example", sender="perm-sender@far.example")
        notice = self.world.got("double-bounce@mx.test.example")
        self.assertEqual(notice.recipients, ["pm@far.example"])
        self.assertIn(token, notice.text)
        wait_for(self.system.empty, self.system.told)

    def test_null_sender_bounces_nowhere(self) -> None:
        """BO-2: mail from the null sender that bounces."""
        mark = self.system.mark()
        self.world.send("perm-f@far.example", sender="")
        self.assertLogged(r"to=<perm-f@far\.example>, .*status=bounced", mark)
        wait_for(self.system.empty, self.system.told)

    def test_address_report(self) -> None:
        """SE-*, ST-3: sendmail -bv asks what would happen, and delivers nothing."""
        text = self.system.ask("sendmail", "-bv", "-f", "s6@far.example", "perm-g@far.example", "one@alias.example")
        self.assertIn("Mail Delivery Status Report will be mailed to <s6@far.example>", text)
        notice = self.world.got("To: s6@far.example")
        self.assertIn("Subject: Mail Delivery Status Report\n", notice.text)
        self.assertIn("Action: undeliverable\n", notice.text)
        self.assertIn("Action: deliverable\n", notice.text)
