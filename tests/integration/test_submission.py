"""Mail from users of this machine: sendmail and postdrop, with the system up and down (SE-*, PK-1)."""

from __future__ import annotations

import os
import shutil

from tests.integration.world import WorldCase, in_each_mode, new_token
from tests.kit.mailsystem import ROOT
from tests.kit.waiting import wait_for

USER = "nobody" if ROOT else ""
_SETGID = "the real postdrop has its rights from its installation, not from a test's directory"


class SubmissionCase(WorldCase):
    """sendmail, by root and by another user."""

    def belongs_to_user(self) -> None:
        """Where there is a default main.cf, a user may name only directories that it lists, and his own (MC-9)."""
        if os.geteuid() == 0 and USER:
            shutil.chown(self.system.config, USER)


@in_each_mode
class Submission(SubmissionCase):
    """sendmail with the system up."""

    def sendmail(self, *words: str, text: str, user: str = "") -> str:
        """A mail by sendmail; its token."""
        token = new_token()
        answer = self.system.command("sendmail", *words, text=f"X-Token: {token}\n{text}", user=user)
        self.assertEqual(answer.code, 0, answer)
        return token

    def test_as_is(self) -> None:
        """PK-1, SE-*: a mail with recipients on the command line; missing header fields are added."""
        mark = self.system.mark()
        body = "line one\n.dot\n..dots\nlast\n"
        token = self.sendmail("-i", "-f", "me@here.example", "user@far.example", text=f"Subject: s\n\n{body}")
        message = self.world.got(token)
        self.assertEqual((message.sender, message.recipients), ("me@here.example", ["user@far.example"]))
        self.assertTrue(message.text.endswith("\n\n" + body))
        for pattern in (r"Message-Id: <", r"Date: \w{3}, ", r"From: .*<?me@here\.example>?\n"):
            self.assertRegex(message.text, rf"\n{pattern}")
        self.assertRegex(message.text, r"^Received: by mx\.test\.example \(Postfix, from userid \d+\)\n\tid \w+; ")
        self.assertLogged(r"pickup\[\d+\]: \w+: uid=\d+ from=<me@here\.example>", mark)

    def test_recipients_of_the_header(self) -> None:
        """SE-*: -t takes To, Cc and Bcc, and Bcc is not sent."""
        head = "To: a@far.example\nCc: b@far.example\nBcc: c@far.example\nSubject: s\n\nb\n"
        token = self.sendmail("-t", "-f", "me@here.example", text=head)
        wait_for(lambda: len(self.world.sink.recipients(token)) == 3, self.system.told)
        self.assertEqual(self.world.sink.recipients(token), ["a@far.example", "b@far.example", "c@far.example"])
        self.assertNotIn("Bcc", self.world.got(token).text)

    def test_lone_dot(self) -> None:
        """SE-*: without -i a line with one dot ends the mail."""
        token = self.sendmail("-f", "me@here.example", "user@far.example", text="\nbefore\n.\nafter\n")
        self.assertTrue(self.world.got(token).text.endswith("\n\nbefore\n"))

    def test_ordinary_user(self) -> None:
        """SE-*: a user without rights in the queue directory may send; the log has the uid that the kernel tells."""
        if self.system.kind == "postfix" and ROOT:
            self.skipTest(_SETGID)
        self.belongs_to_user()
        mark = self.system.mark()
        token = self.sendmail("-i", "user@far.example", text="\nfrom a user\n", user=USER)
        message = self.world.got(token)
        name = USER or message.sender.split("@")[0]
        self.assertEqual(message.sender, f"{name}@test.example")
        self.assertLogged(rf"pickup\[\d+\]: \w+: uid=\d+ from=<{name}>", mark)

    def test_dsn_options(self) -> None:
        """SE-*: -N, -R and -V."""
        token = self.sendmail(
            "-N", "success,delay", "-R", "hdrs", "-V", "envelope1", "-f", "me@here.example", "user@far.example",
            text="\nb\n",
        )  # fmt: skip
        message = self.world.got(token)
        self.assertLessEqual({"RET=HDRS", "ENVID=envelope1"}, set(message.mail_parameters.split()))
        self.assertIn("NOTIFY=SUCCESS,DELAY", message.parameters[0])

    def test_smtp_dialog(self) -> None:
        """SE-*: sendmail -bs speaks SMTP on its standard input."""
        token = new_token()
        said = self.system.ask(
            "sendmail", "-bs",
            text=f"EHLO me\r\nMAIL FROM:<me@here.example>\r\nRCPT TO:<user@far.example>\r\nDATA\r\n"
            f"X-Token: {token}\r\n\r\nby hand\r\n.\r\nQUIT\r\n",
        )  # fmt: skip
        self.assertIn("250 2.0.0 Ok: queued as", said)
        self.assertEqual(self.world.got(token).recipients, ["user@far.example"])

    def test_queue_list_of_a_user(self) -> None:
        """PQ-*: mailq for who has no rights in the queue directory."""
        if self.system.kind == "postfix" and ROOT:
            self.skipTest(_SETGID)
        self.belongs_to_user()
        self.assertEqual(self.system.command("mailq", user=USER).code, 0)


@in_each_mode
class SubmissionWhileDown(SubmissionCase):
    """sendmail with the system stopped."""

    fresh = True

    def test_kept_for_later(self) -> None:
        """PK-1, HOUSE 3: root leaves a file in maildrop, and it goes out at the next start."""
        if not ROOT:
            self.skipTest("only root writes to the queue when nobody listens")
        token = new_token()
        self.system.stop()
        answer = self.system.command("sendmail", "-i", "user@far.example", text=f"X-Token: {token}\n\nlater\n")
        self.assertEqual(answer.code, 0, answer)
        self.assertEqual(len(self.system.files("maildrop")), 1)
        self.system.start(self.world.port)
        self.assertTrue(self.world.got(token).text.endswith("\n\nlater\n"))
        wait_for(self.system.empty, self.system.told)

    def test_told_to_try_again(self) -> None:
        """SE-*: others are told with exit status 75 that the system is down."""
        if not ROOT or self.system.kind == "postfix":
            self.skipTest("needs root to be another user, and our own postdrop")
        self.belongs_to_user()
        self.system.stop()
        answer = self.system.command("sendmail", "-i", "user@far.example", text="\nx\n", user=USER)
        self.assertEqual(answer.code, 75, answer)
        self.assertNotEqual(answer.err, "")
