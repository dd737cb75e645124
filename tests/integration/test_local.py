"""Local delivery: aliases, commands, files, lists, .forward, mailboxes; each as the user whose it is (LO-*, AL-*)."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from typing import Any

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.mailsystem import ROOT, content
from tests.kit.waiting import wait_for

# Accounts of the base system that own nothing and log in nowhere.
PLAIN, FORWARDS, COPIES, COMMANDS = ("games", "irc", "list", "news")
COMMAND = """#!/bin/sh
out=$(mktemp @DIR@/files/command.XXXXXX)
{ echo "uid=$(id -u) arg=$1 user=$USER recipient=$RECIPIENT sender=$SENDER extension=$EXTENSION"; cat; } >"$out"
mv "$out" "$out.done"
"""
EXIT = """#!/bin/sh
cat >/dev/null
echo "the command says $1"
exit $1
"""


class LocalWorld(World):
    """Mailboxes and .forward files below the instance's own directory, for accounts that every system has."""

    def main(self) -> Mapping[str, str]:
        return {
            "alias_maps": "lmdb:@CONFIG@/aliases", "alias_database": "lmdb:@CONFIG@/aliases",
            "local_recipient_maps": "", "mail_spool_directory": "@DIR@/boxes/", "default_privs": "nobody",
            "allow_mail_to_commands": "alias, forward, include", "allow_mail_to_files": "alias, forward, include",
            "forward_path": "@DIR@/forwards/${user}${recipient_delimiter}${extension}, @DIR@/forwards/${user}",
        }  # fmt: skip

    def tables(self) -> Mapping[str, str]:
        return {
            "aliases": f"two: {PLAIN}, {COPIES}\nnested: two\n"
            'listed: ":include:@DIR@/members"\n'
            'command: "|@DIR@/command first"\nfails: "|@DIR@/exit 67"\nlater: "|@DIR@/exit 75"\n'
            "file: @DIR@/files/box\naway: outside@far.example\n"
            "owner-club: chair@far.example\nclub: a@far.example, b@far.example\nghost: no-such-user-here\n",
        }

    def furnish(self) -> None:
        here = self.system.directory
        for name in ("boxes", "forwards", "files"):
            os.mkdir(f"{here}/{name}")
        for name in ("boxes", "files"):
            os.chmod(f"{here}/{name}", 0o1777)
        for name, text in (("command", COMMAND), ("exit", EXIT)):
            self.file(name, text, 0o755)
        self.file("members", "# members\ni1@far.example\ni2@far.example, away\n", 0o644)
        forwards = {
            FORWARDS: "f1@far.example, f2@far.example\n", COPIES: f"\\{COPIES}, copy@far.example\n",
            COMMANDS: f'"|{here}/command forward"\n', f"{PLAIN}+tag": "tagged@far.example\n",
        }  # fmt: skip
        for name, text in forwards.items():
            path = self.file(f"forwards/{name}", text, 0o644)
            account = pwd.getpwnam(name.split("+")[0])
            os.chown(path, account.pw_uid, account.pw_gid)
        self.system.index("aliases", command="postalias")

    def file(self, name: str, text: str, mode: int) -> str:
        path = f"{self.system.directory}/{name}"
        with open(path, "w", encoding="ascii") as file:
            file.write(self.system.filled(text))
        os.chmod(path, mode)
        return path


@in_each_mode
class Local(WorldCase):
    """As root: each user's files and commands are touched with that user's rights."""

    world_class = LocalWorld
    needs_root = True

    def send(self, to: str, **more: Any) -> str:
        return self.world.send(f"{to}@test.example", **more)

    def text(self, pattern: str, token: str) -> str:
        """The first file of this pattern that has the token; waits for it."""
        return content(self.system.file_with(pattern, token))

    def test_mailbox(self) -> None:
        """LO-3, LO-4: a file in new/, owned by the user, with three fields before the mail."""
        mark = self.system.mark()
        token = self.send(PLAIN)
        path = self.system.file_with(f"boxes/{PLAIN}/new/*", token)
        text = content(path)
        wanted = f"Return-Path: <from@there.example>\nX-Original-To: {PLAIN}@test.example\n"
        self.assertTrue(text.startswith(wanted + f"Delivered-To: {PLAIN}@test.example\nReceived: "), text)
        self.assertTrue(text.endswith("\n\nhello\n"))
        self.assertEqual(os.stat(path).st_uid, pwd.getpwnam(PLAIN).pw_uid)
        self.assertLogged(rf"local\[\d+\]: \w+: to=<{PLAIN}@test\.example>, relay=local, .*status=sent "
                          r"\(delivered to maildir\)", mark)  # fmt: skip

    def test_upper_case(self) -> None:
        """LO-2: names of users are looked up in lower case."""
        self.text(f"boxes/{PLAIN}/new/*", self.send(PLAIN.upper()))

    def test_alias(self) -> None:
        """LO-1, AL-1: an alias of two users, by way of another alias; one of them has a .forward with a copy."""
        token = self.send("nested")
        self.assertIn("X-Original-To: nested@test.example", self.text(f"boxes/{PLAIN}/new/*", token))
        self.text(f"boxes/{COPIES}/new/*", token)
        self.assertEqual(self.world.got(token).recipients, ["copy@far.example"])

    def test_include(self) -> None:
        """AL-3: a file of addresses, some of them aliases."""
        token = self.send("listed")
        wanted = ["i1@far.example", "i2@far.example", "outside@far.example"]
        wait_for(lambda: self.world.sink.recipients(token) == wanted, self.system.told)

    def test_owner(self) -> None:
        """LO-2: a list with an owner: what goes wrong is the owner's to hear (expand_owner_alias is off)."""
        self.assertEqual(self.world.got(self.send("club")).sender, "owner-club@test.example")

    def test_remote_alias(self) -> None:
        """LO-8: forwarded as a new mail, and logged so."""
        mark = self.system.mark()
        message = self.world.got(self.send("away"))
        self.assertEqual((message.sender, message.recipients), ("from@there.example", ["outside@far.example"]))
        self.assertIn("Delivered-To: away@test.example\n", message.text)
        self.assertLogged(r"to=<away@test\.example>, relay=local, .*status=sent \(forwarded as \w+\)", mark)

    def test_command(self) -> None:
        """LO-5: a command of an alias runs as default_privs, with what it is told in its environment."""
        token = self.send("command+more")
        text = self.text("files/command.*.done", token)
        uid = pwd.getpwnam("nobody").pw_uid
        self.assertTrue(
            text.startswith(f"uid={uid} arg=first user=command recipient=command+more@test.example "
                            "sender=from@there.example extension=more\nFrom from@there.example  "), text,
        )  # fmt: skip

    def test_command_fails(self) -> None:
        """LO-5: exit 67 bounces with what the command said, exit 75 waits."""
        self.send("fails", sender="s1@far.example")
        notice = self.world.got("To: s1@far.example")
        self.assertIn("Status: 5.1.1\n", notice.text)
        self.assertIn("the command says 67", notice.text)
        self.send("later")
        self.assertLogged(r"to=<later@test\.example>, .*dsn=4\.3\.0, status=deferred \(temporary failure\. "
                          r"Command output: the command says 75")  # fmt: skip
        self.system.command("postsuper", "-d", "ALL")

    def test_file(self) -> None:
        """LO-4: an mbox: a From_ line, and an empty line behind; From_ in the body is quoted."""
        self.text("files/box", self.send("file", body="From me\r\n"))
        text = self.text("files/box", self.send("file"))
        self.assertRegex(text, r"^From from@there\.example  \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n")
        self.assertIn("\n\n>From me\n\nFrom from@there.example  ", text)
        self.assertTrue(text.endswith("\nhello\n\n"))

    def test_forward(self) -> None:
        """LO-6: .forward, with and without extension, and with a command that runs as the user."""
        token = self.send(FORWARDS)
        wait_for(lambda: self.world.sink.recipients(token) == ["f1@far.example", "f2@far.example"], self.system.told)
        self.assertEqual(self.world.got(self.send(f"{PLAIN}+tag")).recipients, ["tagged@far.example"])
        text = self.text("files/command.*.done", self.send(COMMANDS))
        self.assertTrue(text.startswith(f"uid={pwd.getpwnam(COMMANDS).pw_uid} arg=forward user={COMMANDS} "), text)

    def test_unknown(self) -> None:
        """LO-3: nobody has this name, as the address and as the value of an alias."""
        self.send("nobody-at-all", sender="s2@far.example")
        self.assertIn('unknown user: "nobody-at-all"', self.world.got("To: s2@far.example").text)
        self.send("ghost", sender="s3@far.example")
        self.assertIn('unknown user: "no-such-user-here"', self.world.got("To: s3@far.example").text)

    def test_loop(self) -> None:
        """LO-1: a mail that was here before."""
        self.send(PLAIN, sender="s4@far.example", headers=f"Delivered-To: {PLAIN}@test.example\r\n")
        self.assertIn(f"mail forwarding loop for {PLAIN}@test.example", self.world.got("To: s4@far.example").text)


class OwnWorld(LocalWorld):
    """An ordinary user's system: nobody but this user has mail here."""

    def main(self) -> Mapping[str, str]:
        return {**super().main(), "mail_spool_directory": "@DIR@/boxes/"}

    def furnish(self) -> None:
        os.mkdir(f"{self.system.directory}/boxes")
        os.mkdir(f"{self.system.directory}/forwards")
        self.system.index("aliases", command="postalias")


@in_each_mode
class LocalAsUser(WorldCase):
    """Not as root: the same, for oneself."""

    world_class = OwnWorld

    def test_own_mailbox(self) -> None:
        """HOUSE 3: the daemon's user has a mailbox without a keeper."""
        if ROOT:
            self.skipTest("is for ordinary users")
        name = pwd.getpwuid(os.geteuid()).pw_name
        self.system.file_with(f"boxes/{name}/new/*", self.world.send(f"{name}@test.example"))
