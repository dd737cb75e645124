"""local: aliases, .forward, mailboxes, with the host in memory. Texts and order are those of Postfix."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.asuser import AsUserError, CommandResult, Identity
from pytwfix.contracts.delivery import VERIFY_ONLY, DeliveryResult
from pytwfix.contracts.reports import BOUNCE
from pytwfix.deliver import accounts
from pytwfix.deliver.accounts import Account
from pytwfix.deliver.local.destinations import arguments
from pytwfix.deliver.local.service import LocalAgent
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.errors import queue_file_write_error
from pytwfix.mail.status import DELIVERED, EXPANDED, NOTIFY_FAILURE, NOTIFY_NEVER, NOTIFY_SUCCESS
from tests.kit.asuser import MemoryAsUser
from tests.kit.delivering import LocalRewriter, MemoryAgents, MemoryCleanup, MemoryReports, delivery
from tests.kit.host import MemoryHost

_USERS = {
    "games": Account("games", 5, 60, "/home/games", "/bin/sh"),
    "news": Account("news", 9, 9, "/home/news", "/bin/sh"),
    "nobody": Account("nobody", 65534, 65534, "/", "/bin/sh"),
    "root": Account("root", 0, 0, "/root", "/bin/sh"),
}
_NOBODY = Identity(65534, 65534)
_ALIASES = {
    "two": "games, news",
    "dup": "games, games, games+x",
    "mixed": "games, away@remote.example, nosuch",
    "rem": "a@remote.example, b@remote.example",
    "self": "self",
    "l1": "l2",
    "l2": "l1",
    "l3": "l3, games",
    "esc": "\\\\games",
    "cmd": '"|/bin/cmd arg"',
    "file": "/tmp/out",
    "incl": ":include:/etc/list",
    "mlist": "m@remote.example, games",
    "owner-mlist": "boss",
    "grp": "friends: a@b.example;",
    "nothing": "<>",
    "plus+ext": "news",
    "nested": "two",
    "twice": "two, nested",
}


class LocalTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asuser = MemoryAsUser()
        self.reports = MemoryReports()
        self.cleanup = MemoryCleanup()
        self.agents = MemoryAgents("p1")
        self.patch(accounts, "by_name", _USERS.get)

    def deliver(
        self, *to: bytes | Recipient, flags: int = 0, content: bytes = b"S: x\r\n\r\n", **main: str
    ) -> DeliveryResult:
        table = ", ".join(f"{{{name} = {value}}}" for name, value in _ALIASES.items())
        values = {
            "alias_maps": "inline:{" + table + "}",
            "recipient_delimiter": "+",
            "mail_spool_directory": "/spool/",
            "forward_path": "/fwd/${user}${recipient_delimiter}${extension}, /fwd/$user",
            **main,
        }
        peers: dict[str, Any] = {"asuser": self.asuser, "reports": self.reports}
        peers.update(cleanup=self.cleanup, agents=self.agents)
        self.host = MemoryHost(values, "local", "local", rewriter=LocalRewriter(), **peers)
        self.request = delivery(*to, content=content, flags=flags)
        result: Any = self.successResultOf(LocalAgent(self.host).deliver(self.request))
        return result  # type: ignore[no-any-return]

    def logged(self, *words: str) -> None:
        for word in words:
            self.assertTrue(any(word in line for line in self.host.log.lines), (word, self.host.log.lines))

    @property
    def done(self) -> bool:
        return bool(self.request.message.marked)  # type: ignore[union-attr]

    @property
    def written(self) -> list[tuple[str, int]]:
        return [(request.path, who.uid) for who, request in self.asuser.written]

    # --- mailboxes

    def test_mailbox(self) -> None:
        """LO-3, LO-4, LO-8: a Maildir in the spool, as the user, whatever the case."""
        self.deliver(b"GAMES+tag@example.com")
        self.assertEqual(self.written, [("/spool/games/", 5)])
        self.assertEqual(
            self.asuser.written[0][1].data,
            b"Return-Path: <a@b.example>\nX-Original-To: GAMES+tag@example.com\n"
            b"Delivered-To: GAMES+tag@example.com\nS: x\n\n",
        )
        self.logged("QID1: to=<GAMES+tag@example.com>, relay=local,", "dsn=2.0.0, status=sent (delivered to maildir)")
        self.assertTrue(self.done)

    def test_spool_file(self) -> None:
        """LO-3, LO-4: an mbox, which root may have to make; home_mailbox goes before."""
        self.deliver(b"games@example.com", mail_spool_directory="/var/mail")
        self.assertEqual(self.written, [("/var/mail/games", 5)])
        self.assertEqual(self.asuser.written[0][1].create_directory, "/var/mail")
        self.assertTrue(self.asuser.written[0][1].lock_required)
        self.logged("status=sent (delivered to mailbox)")
        self.deliver(b"games@example.com", home_mailbox="Mail/in/")
        self.assertEqual(self.written[1:], [("/home/games/Mail/in/", 5)])

    def test_unknown_user(self) -> None:
        """LO-3: the text has the name without extension, in lower case."""
        self.deliver(b"nosuch+Foo@example.com")
        self.logged('dsn=5.1.1, status=bounced (unknown user: "nosuch")')
        self.assertTrue(self.done)

    def test_nobody(self) -> None:
        """AL-1: an address without a local part is nobody's."""
        self.deliver(b"@example.com")
        self.logged('dsn=5.1.3, status=bounced (null username in "@example.com")')

    def test_failures(self) -> None:
        """LO-4: what cannot be written is 5.2.0, a lock 4.2.0, a full mailbox 5.2.2."""
        for kind, status in (("denied", "5.2.0"), ("locked", "4.2.0"), ("toolarge", "5.2.2"), ("temporary", "4.2.0")):
            self.asuser.trouble["/m/games"] = AsUserError(kind, "why")
            self.deliver(b"games@example.com", mail_spool_directory="/m")
            self.logged(f"dsn={status},", "(cannot update mailbox /m/games for user games. why)")
            self.assertEqual(self.done, status.startswith("5"))

    def test_root(self) -> None:
        """LO-1: nothing is done with root's rights."""
        self.deliver(b"root@example.com")
        self.logged("dsn=4.2.0, status=deferred (mail to root needs an alias")
        self.assertEqual(self.written, [])

    def test_mailbox_command(self) -> None:
        """LO-3, LO-5: mailbox_command as the user, with the environment of local, by the shell when it needs one."""
        self.deliver(b"games+e@example.com", mailbox_command="/bin/x $USER")
        ((who, run),) = self.asuser.commands
        self.assertEqual((who, list(run.argv)), (Identity(5, 60), ["sh", "-c", "/bin/x $USER"]))
        environment = dict(run.environment)
        expected = {
            "USER": "games", "LOGNAME": "games", "HOME": "/home/games", "SHELL": "/bin/sh", "LOCAL": "games+e",
            "EXTENSION": "e", "DOMAIN": "example.com", "RECIPIENT": "games+e@example.com", "SENDER": "a@b.example",
            "ORIGINAL_RECIPIENT": "games+e@example.com", "CLIENT_ADDRESS": "192.0.2.1", "CLIENT_HELO": "helo.example",
            "CLIENT_HOSTNAME": "c.example", "CLIENT_PROTOCOL": "ESMTP", "PATH": "/usr/bin:/bin",
        }  # fmt: skip
        self.assertEqual({name: environment.get(name) for name in expected}, expected)
        self.assertRegex(run.data, rb"^From a@b\.example  .*\nReturn-Path: <a@b\.example>\nX-Original-To: ")
        self.logged("status=sent (delivered to command: /bin/x $USER)")

    def test_mailbox_command_maps(self) -> None:
        """LO-3: by user; a table that does not answer is 4.3.0."""
        self.deliver(b"games@example.com", b"news@example.com", mailbox_command_maps="inline:{games=/bin/g}")
        self.assertEqual([list(run.argv) for _, run in self.asuser.commands], [["/bin/g"]])
        self.assertEqual(self.written, [("/spool/news/", 9)])
        self.deliver(b"games@example.com", mailbox_command_maps="fail:x")
        self.logged("dsn=4.3.0, status=deferred (table lookup failure)")

    def test_filtered_environment(self) -> None:
        """LO-5: command_expansion_filter."""
        self.deliver(b"games+a`b@example.com", mailbox_command="/bin/x")
        self.assertEqual(self.asuser.commands[0][1].environment["EXTENSION"], "a_b")

    def test_transports(self) -> None:
        """LO-3: mailbox_transport for all, fallback_transport for unknown users; the other agent reports."""
        self.deliver(b"nosuch@example.com", mailbox_transport="p1:hop")
        self.deliver(b"games@example.com", mailbox_transport="p1")
        self.deliver(b"nosuch@example.com", fallback_transport="p1")
        self.deliver(b"games@example.com", fallback_transport="p1", mailbox_transport_maps="inline:{news=p1}")
        self.assertEqual([(one.transport, one.nexthop, one.recipients[0].address) for one in self.agents.requests], [
            ("p1", "hop", b"nosuch@example.com"), ("p1", "mx.example.com", b"games@example.com"),
            ("p1", "mx.example.com", b"nosuch@example.com"),
        ])  # fmt: skip
        self.assertEqual(self.written, [("/spool/games/", 5)])

    def test_transport_that_defers(self) -> None:
        """LO-3: what the other agent could not deliver stays in the queue; what there is no agent for, too."""
        self.agents.defers = True
        result = self.deliver(b"games@example.com", mailbox_transport="p1")
        self.assertEqual((result.deferred, self.done), (self.request.recipients, False))
        self.logged("QID1: passing <games@example.com> to transport=p1")
        self.deliver(b"games@example.com", mailbox_transport="nowhere")
        self.logged("warning: unknown mail delivery transport: nowhere", "dsn=4.3.5, status=deferred")

    def test_own_transport(self) -> None:
        """LO-3: a mailbox_transport that leads back here is an error of the configuration, not a loop."""
        self.deliver(b"games@example.com", mailbox_transport="local")
        self.logged("leads back to transport=local", "dsn=4.3.5, status=deferred (mail system configuration error)")

    def test_maildir_of_the_spool(self) -> None:
        """LO-3: a Maildir in the spool directory goes before an mbox in the home, a Maildir there before both."""
        self.deliver(b"games@example.com", home_mailbox="Mailbox", mail_spool_directory="/spool/")
        self.deliver(b"games@example.com", home_mailbox="Maildir/", mail_spool_directory="/spool/")
        self.assertEqual(self.written, [("/spool/games/", 5), ("/home/games/Maildir/", 5)])

    def test_luser_relay(self) -> None:
        """LO-3: with the macros of the address."""
        self.deliver(b"nosuch+foo@example.com", luser_relay="games+$local")
        self.assertEqual(self.written, [("/spool/games/", 5)])
        self.logged("to=<games+nosuch+foo@example.com>, orig_to=<nosuch+foo@example.com>")
        self.deliver(b"nosuch@example.com", luser_relay="nosuch")
        self.logged('unknown user: "nosuch"')

    # --- aliases

    def test_alias(self) -> None:
        """LO-2, LO-4: to local users at once; X-Original-To and Delivered-To are those of the alias."""
        self.deliver(b"two@example.com")
        self.assertEqual(self.written, [("/spool/games/", 5), ("/spool/news/", 9)])
        self.assertIn(
            b"X-Original-To: two@example.com\nDelivered-To: two@example.com\n", self.asuser.written[0][1].data
        )
        self.logged("to=<games@example.com>, orig_to=<two@example.com>, relay=local")
        self.assertEqual([one.address for one in self.request.message.marked], [b"two@example.com"])  # type: ignore[union-attr]

    def test_duplicates(self) -> None:
        """AL-2: an address gets the mail once; an extension makes it another."""
        self.deliver(b"dup@example.com")
        self.logged("to=<games@example.com>, orig_to=<dup@example.com>", "to=<games+x@example.com>")
        self.assertEqual(len(self.written), 2)
        self.asuser.written.clear()
        self.deliver(b"twice@example.com")
        self.assertEqual(self.written, [("/spool/games/", 5), ("/spool/news/", 9)])

    def test_forwarded(self) -> None:
        """LO-1, LO-8: other domains in one new message, with Received and Delivered-To."""
        self.deliver(b"mixed@example.com")
        (mail,) = self.cleanup.mails
        self.assertEqual(
            [(one.address, one.original) for one in mail.recipients], [(b"away@remote.example", b"mixed@example.com")]
        )
        self.assertRegex(
            mail.content,
            rb"^Received: by mx\.example\.com \(\S+\)\r\n\tid NEW1; \w+, .*\r\n"
            rb"Delivered-To: mixed@example\.com\r\nS: x\r\n\r\n$",
        )
        self.assertEqual((mail.envelope.sender, mail.origin.client.address), (b"a@b.example", "192.0.2.1"))
        self.logged(
            "to=<mixed@example.com>, relay=local",
            "status=sent (forwarded as NEW1)",
            "to=<nosuch@example.com>, orig_to=<mixed@example.com>, relay=local",
        )
        self.assertTrue(self.done)

    def test_forwarding_fails(self) -> None:
        """LO-1: then the recipient stays in the queue."""
        self.cleanup.error = queue_file_write_error("disk full")
        result = self.deliver(b"rem@example.com")
        self.assertEqual(len(result.deferred), 1)
        self.assertTrue(self.cleanup.mails[0].aborted)
        self.logged("dsn=4.3.0, status=deferred", "disk full")

    def test_loops(self) -> None:
        """AL-2, AL-5: name: name is the user; a longer ring is 5.4.6."""
        self.deliver(b"self@example.com")
        self.logged("to=<self@example.com>", 'dsn=5.1.1, status=bounced (unknown user: "self")')
        self.deliver(b"l1@example.com")
        self.logged(
            "warning: alias database loop for l2",
            "to=<l2@example.com>, orig_to=<l1@example.com>",
            "dsn=5.4.6, status=bounced (alias database loop for l2)",
        )
        self.deliver(b"l3@example.com")
        self.assertEqual(self.written, [("/spool/games/", 5)])
        self.logged('unknown user: "l3"')

    def test_deep(self) -> None:
        """AL-2: nesting deeper than 100."""
        chain = ", ".join(f"{{n{n} = n{n + 1}}}" for n in range(120))
        self.deliver(b"n0@example.com", alias_maps="inline:{" + chain + "}")
        self.logged("dsn=5.4.6, status=bounced (recipient nesting limit exceeded)")

    def test_forwarding_loop(self) -> None:
        """LO-1: a Delivered-To of ours, whatever its case."""
        self.deliver(b"games@example.com", content=b"Delivered-To: Games@example.com\r\n\r\n")
        self.logged("dsn=5.4.6, status=bounced (mail forwarding loop for games@example.com)")
        self.assertEqual(self.written, [])

    def test_nothing_is_lost(self) -> None:
        """LO-1, AL-2: aliases that only name each other do not make a mail vanish."""
        self.deliver(b"r1@example.com", alias_maps="inline:{{r1 = r2, r3}, {r2 = r3}, {r3 = r2}}")
        self.logged("to=<r2@example.com>, orig_to=<r1@example.com>", "status=bounced (alias database loop for r2)")

    def test_empty_list(self) -> None:
        """AL-3: an :include: file without members: the mail is done, as with Postfix."""
        self.asuser.files["/etc/list"] = b"# nobody yet\n"
        self.deliver(b"incl@example.com")
        self.assertTrue(self.done)
        self.assertEqual(self.host.log.lines, [])

    def test_backslash(self) -> None:
        """AL-1: \\user, with the backslash still there in internal form, is his mailbox, without .forward."""
        self.asuser.files["/fwd/games"] = b"x@remote.example\n"
        self.deliver(b"esc@example.com")
        self.assertEqual(self.written, [("/spool/games/", 5)])

    def test_command_and_file(self) -> None:
        """LO-5, LO-8: with the rights of default_privs; USER is the alias, and there is no HOME."""
        self.deliver(b"cmd@example.com", b"file@example.com")
        ((who, run),) = self.asuser.commands
        self.assertEqual((who, list(run.argv), run.environment["USER"]), (_NOBODY, ["/bin/cmd", "arg"], "cmd"))
        self.assertNotIn("HOME", run.environment)
        self.assertEqual(self.written, [("/tmp/out", 65534)])
        self.logged("status=sent (delivered to command: /bin/cmd arg)", "status=sent (delivered to file: /tmp/out)")

    def test_command_fails(self) -> None:
        """LO-5: exit statuses; only what is to be tried again keeps the recipient."""
        self.asuser.results["/bin/cmd"] = CommandResult(67, b"no\n")
        self.deliver(b"cmd@example.com")
        self.logged("dsn=5.1.1, status=bounced (user unknown. Command output: no )")
        self.assertTrue(self.done)
        self.asuser.results["/bin/cmd"] = CommandResult(75, b"")
        self.deliver(b"cmd@example.com")
        self.assertFalse(self.done)
        self.logged("dsn=4.3.0, status=deferred (temporary failure)")

    def test_restrictions(self) -> None:
        """LO-5: allow_mail_to_commands, allow_mail_to_files."""
        self.deliver(b"cmd@example.com", b"file@example.com", allow_mail_to_commands="forward", allow_mail_to_files="")
        self.logged(
            "dsn=5.7.1, status=bounced (mail to command is restricted)",
            "dsn=5.7.1, status=bounced (mail to file is restricted)",
        )

    def test_include(self) -> None:
        """AL-3: the members go into a new message; commands need `include` to be allowed."""
        self.asuser.files["/etc/list"] = b'# list\ngames, x@remote.example\n"|/bin/cmd"\n'
        self.deliver(b"incl@example.com")
        self.assertEqual(
            [one.address for one in self.cleanup.mails[0].recipients], [b"games@example.com", b"x@remote.example"]
        )
        self.logged("mail to command is restricted", "status=sent (forwarded as NEW1)")
        self.assertEqual(self.written, [])

    def test_include_missing(self) -> None:
        """AL-3: a list that is not there is a mistake of who manages the system."""
        self.deliver(b"incl@example.com")
        self.logged(
            "warning: unable to lookup :include: file /etc/list: No such file or directory",
            "dsn=5.3.5, status=bounced (mail system configuration error)",
        )

    def test_owner(self) -> None:
        """LO-2: owner-list becomes the sender; all goes into a new message, without X-Original-To."""
        self.deliver(b"mlist@example.com")
        (mail,) = self.cleanup.mails
        self.assertEqual(mail.envelope.sender, b"owner-mlist@example.com")
        self.assertEqual(
            [(one.address, one.original) for one in mail.recipients],
            [(b"m@remote.example", b"m@remote.example"), (b"games@example.com", b"games@example.com")],
        )
        self.deliver(b"mlist@example.com", expand_owner_alias="yes")
        self.assertEqual(self.cleanup.mails[1].envelope.sender, b"boss@example.com")

    def test_owner_hears_of_failures(self) -> None:
        """LO-2: a failure behind a list goes to its owner at once, not to the sender."""
        self.asuser.results["/bin/cmd"] = CommandResult(67, b"")
        table = 'inline:{{ml = "|/bin/cmd"}, {owner-ml = boss}}'
        self.deliver(b"ml@example.com", alias_maps=table)
        self.assertEqual([log for log, _, _ in self.reports.records], [])
        ((envelope, report),) = self.reports.singles
        self.assertEqual((envelope.sender, report.dsn.status), (b"owner-ml@example.com", "5.1.1"))
        self.logged("to=<ml@example.com>, relay=local,", "dsn=5.1.1, status=bounced (user unknown)")

    def test_faulty_alias_with_owner(self) -> None:
        """LO-2, AL-3: the sender hears that an alias is not as it should be, even where it has an owner."""
        for value in ":include:relative", ":include:/etc/none", "~/box", "~games/box", "/nowhere/dir/":
            table = f"inline:{{{{ml = {value}}}, {{owner-ml = boss}}}}"
            self.asuser.trouble["/nowhere/dir/"] = AsUserError("denied", "no")
            self.deliver(b"ml@example.com", alias_maps=table)
            self.assertEqual((self.reports.singles, self.reports.records[-1][0]), ([], BOUNCE), value)

    def test_users_of_an_alias_in_a_list(self) -> None:
        """AL-3: the aliases that a list names are expanded at once, but their users get a new mail."""
        self.asuser.files["/etc/list"] = b"two, cmd\n"
        self.deliver(b"incl@example.com")
        (mail,) = self.cleanup.mails
        self.assertEqual([one.address for one in mail.recipients], [b"games@example.com", b"news@example.com"])
        self.assertEqual((self.written, len(self.asuser.commands)), ([], 1))

    def test_the_same_command_twice(self) -> None:
        """AL-2: of one alias it runs once, of two aliases twice."""
        table = "inline:{{ab = a, b, a}, {a = \"|/bin/x\", \"|/bin/x\"}, {b = \"|/bin/x\"}}"
        self.deliver(b"ab@example.com", alias_maps=table)
        self.assertEqual([run.environment["USER"] for _who, run in self.asuser.commands], ["a", "b"])

    def test_slash_in_the_extension(self) -> None:
        """LO-6: an extension that would lead elsewhere is none."""
        self.deliver(b"games+../x@example.com")
        self.logged("address with illegal extension: games+../x", "status=sent (delivered to maildir)")

    def test_syntax(self) -> None:
        """AL-1: bad items and empty values."""
        self.deliver(b"grp@example.com")
        self.logged("status=sent (forwarded as NEW1)")
        self.deliver(b"nothing@example.com")
        self.logged(
            "warning: no recipient in alias lookup result for nothing",
            "dsn=4.3.0, status=deferred (alias database unavailable)",
        )

    def test_table_failure(self) -> None:
        """LO-1: alias_maps that do not answer: 4.3.0."""
        self.deliver(b"games@example.com", alias_maps="fail:x")
        self.logged(
            "warning: fail:x: lookup of 'games' failed", "dsn=4.3.0, status=deferred (alias database unavailable)"
        )

    def test_extension(self) -> None:
        """AL-4, LO-7: name+ext before name; propagate_unmatched_extensions."""
        self.deliver(b"plus+ext@example.com")
        self.assertEqual(self.written, [("/spool/news/", 9)])
        self.deliver(b"plus@example.com")
        self.logged('unknown user: "plus"')
        self.deliver(b"rem+x@example.com", propagate_unmatched_extensions="alias")
        self.assertEqual(
            [one.address for one in self.cleanup.mails[-1].recipients], [b"a+x@remote.example", b"b+x@remote.example"]
        )

    def test_success_report(self) -> None:
        """DS-3: an alias is reported once, as expanded; its members are not asked for success again."""
        wish = Recipient(b"rem@example.com", b"rem@example.com", notify=NOTIFY_SUCCESS | NOTIFY_FAILURE, offset=1)
        self.deliver(wish)
        traces = [report.dsn for log, _, report in self.reports.records if log == "trace"]
        self.assertEqual([(dsn.action, dsn.reason) for dsn in traces], [("expanded", "alias expanded")])
        self.assertEqual({one.notify for one in self.cleanup.mails[0].recipients}, {NOTIFY_FAILURE})

    def test_verify(self) -> None:
        """SE-1: told, not done."""
        self.deliver(b"mixed@example.com", b"cmd@example.com", flags=VERIFY_ONLY)
        self.logged(
            "status=deliverable (delivers to maildir)",
            "status=deliverable (delivers to command: /bin/cmd arg)",
            "to=<away@remote.example>, orig_to=<mixed@example.com>",
            "(forwards to away@remote.example)",
            "status=undeliverable",
        )
        self.assertEqual((self.written, self.cleanup.mails), ([], []))

    # --- .forward

    def test_forward(self) -> None:
        """LO-6, AL-5: another host, the user himself, a command and a file with his rights."""
        self.asuser.files["/fwd/games"] = b'games, c@remote.example\n"|/bin/cmd f"\n/tmp/f\n'
        self.deliver(b"games@example.com")
        self.assertEqual(self.written, [("/spool/games/", 5), ("/tmp/f", 5)])
        self.assertEqual(
            [(who.uid, run.environment["HOME"]) for who, run in self.asuser.commands], [(5, "/home/games")]
        )
        self.assertEqual([one.address for one in self.cleanup.mails[0].recipients], [b"c@remote.example"])

    def test_forward_of_another(self) -> None:
        """LO-6: one user's .forward names another, or an alias of users: they get a new mail."""
        self.asuser.files["/fwd/games"] = b"news, two\n\\games, games+x\n"
        self.deliver(b"games@example.com")
        self.assertEqual(self.written, [("/spool/games/", 5), ("/spool/games/", 5)])
        (mail,) = self.cleanup.mails
        self.assertEqual([one.address for one in mail.recipients], [b"news@example.com", b"games@example.com"])
        self.logged("to=<games@example.com>", "status=sent (forwarded as NEW1)")

    def test_forward_goes_on(self) -> None:
        """LO-1: who is named beside a command that is to be tried again does not wait for it; a new mail does, and so
        do the lines below."""
        self.asuser.files["/fwd/games"] = b'"|/bin/cmd", games, c@remote.example\n/tmp/f\n'
        self.asuser.results["/bin/cmd"] = CommandResult(75, b"")
        result = self.deliver(b"games@example.com")
        self.assertEqual((len(result.deferred), self.written), (1, [("/spool/games/", 5)]))
        self.assertEqual(self.cleanup.mails, [])

    def test_list_behind_a_delay(self) -> None:
        """AL-3: a list is gone through to its end although something before it has to be tried again."""
        self.asuser.results["/bin/cmd"] = CommandResult(75, b"")
        self.asuser.files["/etc/list"] = b"/tmp/a\n/tmp/b\n"
        self.deliver(b"x@example.com", alias_maps='inline:{{x = "|/bin/cmd", :include:/etc/list}}',
                     allow_mail_to_files="include")  # fmt: skip
        self.assertEqual([path for path, _uid in self.written], ["/tmp/a", "/tmp/b"])

    def test_forward_success(self) -> None:
        """DS-3: an alias or .forward is an expansion, once; a list is the end."""
        self.asuser.files["/fwd/games"] = b"\\games\n"
        for name, original, action in ((b"games", b"games@x", EXPANDED), (b"mlist", b"", DELIVERED)):
            self.reports.records.clear()
            self.deliver(Recipient(name + b"@example.com", name + b"@x", notify=NOTIFY_SUCCESS))
            ((_, _, report),) = self.reports.records
            self.assertEqual((report.dsn.reason, report.dsn.action), ("alias expanded", action))
            self.assertEqual(report.recipient.original, original)

    def test_lists_in_lists(self) -> None:
        """LO-2: a list's member that is another list is expanded at once; owner_request_special = no: no owners."""
        table = "inline:{{outer=mid}, {owner-outer=boss}, {mid=a@remote.example, games}, {owner-mid=chief}}"
        self.deliver(b"outer@example.com", alias_maps=table)
        (mail,) = self.cleanup.mails
        self.assertEqual(mail.envelope.sender, b"owner-mid@example.com")
        self.assertEqual([one.address for one in mail.recipients], [b"a@remote.example", b"games@example.com"])
        self.deliver(b"outer@example.com", alias_maps=table, owner_request_special="no")
        self.assertEqual(self.cleanup.mails[1].envelope.sender, b"a@b.example")
        self.assertEqual(self.written, [("/spool/games/", 5)])

    def test_reset_owner(self) -> None:
        """LO-2: reset_owner_alias: a child without an owner is no list, but keeps the sender."""
        table = "inline:{{outer=mid}, {owner-outer=boss}, {mid=games}}"
        self.deliver(b"outer@example.com", alias_maps=table, reset_owner_alias="yes")
        self.assertEqual(self.written, [("/spool/games/", 5)])
        self.assertIn(b"Return-Path: <owner-outer@example.com>\n", self.asuser.written[0][1].data)

    def test_no_directory(self) -> None:
        """LO-5: a directory that is not there is the administrator's trouble, not a command's words."""
        self.asuser.trouble["/bin/cmd"] = AsUserError("missing", "cannot change directory to /x: No such file")
        self.deliver(b"cmd@example.com", command_execution_directory="/x")
        self.logged(
            'fatal: cannot change directory to "/x" for uid=65534 gid=65534: No such file',
            "dsn=4.3.0, status=deferred (temporary failure)",
        )

    def test_list_hides(self) -> None:
        """LO-2, DS-3: a list's members do not get what the sender called it; NOTIFY goes along."""
        self.deliver(Recipient(b"mlist@example.com", b"mlist@x", b"rfc822;mlist@x", NOTIFY_NEVER))
        (recipient, _) = self.cleanup.mails[0].recipients
        self.assertEqual((recipient.orcpt, recipient.notify), (b"", NOTIFY_NEVER))

    def test_case(self) -> None:
        """LO-5, LO-6: local part and domain in lower case, for files and commands; the recipient as it came."""
        self.asuser.files["/fwd/games+foo"] = b'"|/bin/cmd"\n'
        self.deliver(b"Games+Foo@Example.Com")
        ((_, run),) = self.asuser.commands
        values = [run.environment[name] for name in ("LOCAL", "DOMAIN", "EXTENSION", "RECIPIENT")]
        self.assertEqual(values, ["games+foo", "example.com", "foo", "Games+Foo@Example.Com"])

    def test_bad_extension(self) -> None:
        """LO-6: an extension that names another folder is not looked for."""
        self.asuser.files["/fwd/games+a/b"] = b"a@remote.example\n"
        self.deliver(b"games+a/b@example.com")
        self.assertEqual(self.cleanup.mails, [])
        self.logged("warning: QID1: address with illegal extension: games+a/b")

    def test_required_aliases(self) -> None:
        """LO-3: mail to postmaster and mailer-daemon does not bounce."""
        for name in (b"postmaster", b"MAILER-DAEMON"):
            self.deliver(name + b"@example.com")
            self.logged("status=sent (discarded)", f"warning: required alias not found: {name.decode().lower()}")

    def test_forward_extension(self) -> None:
        """AL-4: .forward+ext before .forward; the filter keeps paths where they belong."""
        self.asuser.files["/fwd/games+ext"] = b"e@remote.example\n"
        self.asuser.files["/fwd/games"] = b"p@remote.example\n"
        self.deliver(b"games+ext@example.com")
        self.deliver(b"games+no@example.com")
        self.assertEqual(
            [mail.recipients[0].address for mail in self.cleanup.mails], [b"e@remote.example", b"p@remote.example"]
        )

    def test_forward_empty_or_bad(self) -> None:
        """LO-6: an empty file is none; one that is refused is logged, and the mail goes to the mailbox."""
        self.asuser.files["/fwd/games"] = b"\n"
        self.deliver(b"games@example.com")
        self.asuser.trouble["/fwd/news"] = AsUserError("permanent", "file /fwd/news is world writable")
        self.deliver(b"news@example.com")
        self.assertEqual(self.written, [("/spool/games/", 5), ("/spool/news/", 9)])
        self.logged("warning: file /fwd/news is world writable")

    def test_bytes(self) -> None:
        """Addresses that are not UTF-8 do not break anything."""
        self.deliver(b"\xff\xfe@example.com", b"games+\xff@example.com")
        self.logged("unknown user:", "status=sent")


class ArgumentTests(SynchronousTestCase):
    def test_shell(self) -> None:
        """LO-5: a plain command needs no shell; metacharacters and builtins do; local_command_shell takes all."""
        self.assertEqual(arguments("/bin/x a  b"), ["/bin/x", "a", "b"])
        self.assertEqual(arguments("/bin/x 'a b'"), ["sh", "-c", "/bin/x 'a b'"])
        self.assertEqual(arguments("exit 75"), ["sh", "-c", "exit 75"])
        self.assertEqual(arguments("/bin/x", "/bin/smrsh -c"), ["/bin/smrsh", "-c", "/bin/x"])
