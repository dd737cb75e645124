"""pipe: from a request to a command, with the host in memory."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.asuser import AsUserError, CommandResult, Identity
from pytwfix.contracts.delivery import VERIFY_ONLY, DeliveryResult
from pytwfix.deliver import accounts
from pytwfix.deliver.accounts import Account
from pytwfix.deliver.pipe import agent
from pytwfix.deliver.pipe.service import PipeAgent
from tests.kit.asuser import MemoryAsUser
from tests.kit.delivering import MemoryReports, delivery
from tests.kit.host import MemoryHost

_USERS = {
    "nobody": Account("nobody", 65534, 65534, "/", "/bin/sh"),
    "root": Account("root", 0, 0, "/", "/bin/sh"),
    "postfix": Account("postfix", 102, 105, "/", "/bin/sh"),
}
_CONTENT = b"Delivered-To: u@x.example\r\nSubject: x\r\n\r\nbody\r\n"


class PipeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asuser = MemoryAsUser()
        self.patch(accounts, "by_name", _USERS.get)
        self.patch(agent, "group_id", {"games": 60, "root": 0}.get)

    def deliver(
        self,
        line: str,
        *recipients: bytes,
        flags: int = 0,
        sender: bytes = b"a@b.example",
        content: bytes = b"S: x\r\n\r\n",
    ) -> DeliveryResult:
        main = {"recipient_delimiter": "+", "mail_owner": "postfix", "p1_time_limit": "7s"}
        self.host = MemoryHost(main, "p1", "pipe", asuser=self.asuser, reports=MemoryReports())
        self.request = delivery(*recipients, transport="p1", nexthop="Hop", flags=flags, sender=sender, content=content)
        result: Any = self.successResultOf(PipeAgent(self.host, line.split()).deliver(self.request))
        return result  # type: ignore[no-any-return]

    def logged(self, *words: str) -> None:
        for word in words:
            self.assertTrue(any(word in line for line in self.host.log.lines), self.host.log.lines)

    def test_command(self) -> None:
        """PI-1: user, arguments, time limit, standard input; the text of success."""
        self.deliver(
            "user=nobody:games flags=R argv=/bin/x -f ${sender} $recipient $user $extension $domain $nexthop "
            "$size $queue_id $client_address $client_hostname $client_helo $client_protocol $client_port",
            b"U+e@X.example",
        )
        ((who, run),) = self.asuser.commands
        self.assertEqual(who, Identity(65534, 60))
        self.assertEqual(
            list(run.argv),
            [
                "/bin/x",
                "-f",
                "a@b.example",
                "U+e@X.example",
                "U",
                "e",
                "X.example",
                "Hop",
                "8",
                "QID1",
                "192.0.2.1",
                "c.example",
                "helo.example",
                "ESMTP",
                "4711",
            ],
        )
        self.assertEqual((run.time_limit, run.data), (7.0, b"Return-Path: <a@b.example>\nS: x\n\n"))
        self.assertEqual(run.environment["PATH"], "/usr/bin:/bin")
        self.logged("QID1: to=<U+e@X.example>, relay=p1,", "dsn=2.0.0, status=sent (delivered via p1 service)")

    def test_output_of_success(self) -> None:
        """PI-1: what the command said is told."""
        self.asuser.results["/bin/x"] = CommandResult(0, b"all is well\nline2\n")
        self.deliver("user=nobody argv=/bin/x", b"u@x")
        self.logged("status=sent (delivered via p1 service (all is well line2))")

    def test_many_recipients(self) -> None:
        """PI-1: one command for all; its end counts for each."""
        self.asuser.results["/bin/x"] = CommandResult(75, b"")
        result = self.deliver("user=nobody flags=hu argv=/bin/x $recipient", b"U1@X.example", b"U2@X.example")
        self.assertEqual(
            [list(run.argv) for _, run in self.asuser.commands], [["/bin/x", "u1@x.example", "u2@x.example"]]
        )
        self.assertEqual(len(result.deferred), 2)
        self.logged("to=<U1@X.example>", "to=<U2@X.example>", "dsn=4.3.0, status=deferred (temporary failure)")

    def test_flags_of_one_recipient(self) -> None:
        """PI-1: with D and O each recipient has a mail of its own."""
        self.deliver("user=nobody flags=DO argv=/bin/x $recipient", b"u1@x", b"u2@x")
        self.assertEqual(
            [run.data for _, run in self.asuser.commands],
            [b"X-Original-To: u%d@x\nDelivered-To: u%d@x\nS: x\n\n" % (n, n) for n in (1, 2)],
        )

    def test_quoting(self) -> None:
        """PI-1: flag q wants external form, without it internal form is given."""
        for flags, expected in (("q", '"u 1"@x'), ("", "u 1@x")):
            self.asuser.commands.clear()
            self.deliver(f"user=nobody flags={flags} argv=/bin/x $recipient $mailbox", b"u 1@x")
            self.assertEqual(list(self.asuser.commands[0][1].argv), ["/bin/x", expected, "u 1"])

    def test_null_sender(self) -> None:
        """PI-1: null_sender=."""
        self.deliver("user=nobody argv=/bin/x $sender", b"u@x", sender=b"")
        self.deliver("user=nobody null_sender= argv=/bin/x $sender", b"u@x", sender=b"")
        self.assertEqual([run.argv[1] for _, run in self.asuser.commands], ["MAILER-DAEMON", ""])

    def test_one_user(self) -> None:
        """HOUSE 3: where all is done as one user, that is mail_owner."""
        self.asuser.one_user = True
        self.deliver("user=postfix argv=/bin/x", b"u@x")
        self.assertEqual(1, len(self.asuser.commands))

    def test_refused_users(self) -> None:
        """PI-1: root, mail_owner, root's group and nobody at all: 4.3.5 and a warning."""
        for line, text in (
            ("user=root argv=/x", "specifies root privileges"),
            ("user=postfix argv=/x", "specifies mail system owner postfix"),
            ("user=nobody:root argv=/x", "privileged group"),
            ("user=nouser argv=/x", "unknown username: nouser"),
            ("user=nobody:nogroup argv=/x", "unknown group: nogroup"),
            ("user=nobody argv=/x $foo", 'service p1: unknown macro name: "foo"'),
        ):
            self.deliver(line, b"u@x")
            self.logged(text, "dsn=4.3.5, status=deferred (mail system configuration error)")
        self.assertEqual(self.asuser.commands, [])

    def test_size(self) -> None:
        """PI-1: size=."""
        self.deliver("user=nobody size=7 argv=/x", b"u@x")
        self.logged("dsn=5.2.3, status=bounced (message too large)")

    def test_loop(self) -> None:
        """PI-1: flag D: a mail that was here before."""
        self.deliver("user=nobody flags=D argv=/x", b"U@x.example", content=_CONTENT)
        self.logged("dsn=5.4.6, status=bounced (mail forwarding loop for U@x.example)")

    def test_failures(self) -> None:
        """PI-1, LO-5: exit status, time limit, a command that is not there."""
        self.asuser.results["/x"] = CommandResult(67, b"exit script says 67\n")
        self.deliver("user=nobody argv=/x", b"u@x")
        self.logged("dsn=5.1.1, status=bounced (user unknown. Command output: exit script says 67 )")
        self.asuser.results["/x"] = CommandResult(-9, b"", True)
        self.deliver("user=nobody argv=/x y", b"u@x")
        self.logged('dsn=5.3.0, status=bounced (Command time limit exceeded: "/x")', "read time limit exceeded")
        self.asuser.trouble["/x"] = AsUserError("missing", "execvp /x: No such file or directory")
        self.deliver("user=nobody argv=/x", b"u@x")
        self.logged(
            "dsn=4.3.0, status=deferred (temporary failure. Command output: pipe: fatal: pipe_command: execvp /x: "
            "No such file or directory"
        )

    def test_verify(self) -> None:
        """SE-1, PI-1: only told what would be done."""
        self.deliver("user=nobody argv=/bin/x y", b"u@x", flags=VERIFY_ONLY)
        self.logged("status=deliverable (delivers to command: /bin/x)")
        self.assertEqual(self.asuser.commands, [])

    def test_nul_bytes(self) -> None:
        """A NUL in an address does not reach exec."""
        self.deliver("user=nobody argv=/bin/x $recipient", b"u\0v@x")
        self.assertEqual(self.asuser.commands[0][1].argv[1], "uv@x")
