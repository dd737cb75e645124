"""virtual, pipe and LMTP: mail for people without accounts, for programs, for other servers (VI-1, PI-1, SM-*)."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from twisted.trial.unittest import SkipTest

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.mailsystem import ROOT, content
from tests.kit.sinks import Sink
from tests.kit.waiting import free_port, listens, wait_for

BOX_USER = pwd.getpwnam("mail") if ROOT else pwd.getpwuid(os.geteuid())
PIPED = """#!/bin/sh
out=$(mktemp @DIR@/files/pipe.XXXXXX)
{ echo "uid=$(id -u) words=$*"; cat; } >"$out"
mv "$out" "$out.done"
"""
EXIT = "#!/bin/sh\ncat >/dev/null\necho \"the program says $1\"\nexit $1\n"


class BoxWorld(World):
    """box.example is virtual; pipe.example, exit67.example and exit75.example are programs; lmtp.example a server."""

    def prepare(self) -> None:
        self.lmtp = Sink(lmtp=True)
        self.sockets = tempfile.mkdtemp(prefix="pytwfix-lmtp-")
        os.chmod(self.sockets, 0o755)
        self.unix = Sink(path=f"{self.sockets}/lmtp", lmtp=True)
        os.chmod(f"{self.sockets}/lmtp", 0o777)
        self.closers += [self.lmtp.close, self.unix.close, lambda: shutil.rmtree(self.sockets)]

    def main(self) -> Mapping[str, str]:
        return {
            "virtual_mailbox_domains": "box.example", "virtual_mailbox_base": "@DIR@/vmail",
            "virtual_mailbox_maps": "inline:{ {dir@box.example=dir/} {file@box.example=file} }",
            "virtual_uid_maps": f"static:{BOX_USER.pw_uid}", "virtual_gid_maps": f"static:{BOX_USER.pw_gid}",
            "virtual_minimum_uid": "1",
            "transport_maps": "inline:{ {pipe.example=piped:next} {exit67.example=exits:67} {exit75.example=exits:75} "
            f"{{lmtp.example=lmtp:inet:127.0.0.1:{self.lmtp.port}}} {{unix.example=lmtp:unix:{self.sockets}/lmtp}} }}",
            "piped_destination_recipient_limit": "1",
        }  # fmt: skip

    def services(self) -> Sequence[str]:
        user = "nobody" if ROOT else BOX_USER.pw_name
        return [
            *super().services(),
            "piped unix - n n - - pipe flags=DORXhuq. "
            f"user={user} null_sender=<> argv=@DIR@/piped ${{sender}} ${{recipient}} ${{user}} ${{extension}} "
            "${domain} ${nexthop}",
            f"exits unix - n n - - pipe user={user} argv=@DIR@/exit ${{nexthop}}",
        ]

    def furnish(self) -> None:
        here = self.system.directory
        for name in ("vmail", "files"):
            os.mkdir(f"{here}/{name}")
        os.chown(f"{here}/vmail", BOX_USER.pw_uid, BOX_USER.pw_gid)
        os.chmod(f"{here}/files", 0o1777)
        for name, text in (("piped", PIPED), ("exit", EXIT)):
            with open(f"{here}/{name}", "w", encoding="ascii") as file:
                file.write(self.system.filled(text))
            os.chmod(f"{here}/{name}", 0o755)


@in_each_mode
class Mailboxes(WorldCase):
    """These need no root: not as root all belongs to the user who runs the daemon."""

    world_class = BoxWorld

    def boxes(self) -> BoxWorld:
        world = self.world
        assert isinstance(world, BoxWorld)
        return world

    def test_maildir(self) -> None:
        """VI-1: Maildir."""
        mark = self.system.mark()
        token = self.world.send("dir+x@box.example")
        path = self.system.file_with("vmail/dir/new/*", token)
        text = content(path)
        self.assertIn("Delivered-To: dir+x@box.example\n", text)
        self.assertTrue(text.startswith("Return-Path: <from@there.example>\n"))
        self.assertEqual(os.stat(path).st_uid, BOX_USER.pw_uid)
        self.assertLogged(r"virtual\[\d+\]: \w+: to=<dir\+x@box\.example>, relay=virtual, .*status=sent "
                          r"\(delivered to maildir\)", mark)  # fmt: skip

    def test_mbox(self) -> None:
        """VI-1: one file, one mail behind the other."""
        first, second = self.world.send("file@box.example"), self.world.send("file@box.example")
        self.system.file_with("vmail/file", first)
        text = content(self.system.file_with("vmail/file", second))
        self.assertEqual(text.count("From from@there.example  "), 2)
        self.assertTrue(text.endswith("\n\n"))

    def test_unknown(self) -> None:
        """VI-1: smtpd knows who has a mailbox."""
        reply = self.world.refused("nobody@box.example")
        self.assertRegex(reply, r"^550 5\.1\.1 .*User unknown in virtual mailbox table$")

    def test_pipe(self) -> None:
        """PI-1: the arguments, the flags, one run for each recipient."""
        token = self.world.send(["Some.One+Ext@Pipe.EXAMPLE", "two@pipe.example"])
        wanted = ("two@pipe.example two", "some.one+ext@pipe.example")
        words = [f"words=from@there.example {one}" for one in wanted]
        seen = [content(self.system.file_with("files/pipe.*.done", one)) for one in words]
        self.assertIn(" some.one ext pipe.example next\n", seen[1])
        for text in seen:
            self.assertIn(token, text)
            self.assertIn("\nReturn-Path: <from@there.example>\n", text)
        self.assertIn("\nX-Original-To: two@pipe.example\nDelivered-To: two@pipe.example\n", seen[0])

    def test_pipe_fails(self) -> None:
        """PI-1: a program's exit status is its verdict."""
        self.world.send("user@exit67.example", sender="s1@far.example")
        notice = self.world.got("To: s1@far.example")
        self.assertIn("Status: 5.1.1\n", notice.text)
        self.assertIn("the program says 67", notice.text)
        self.world.send("user@exit75.example")
        self.assertLogged(r"to=<user@exit75\.example>, relay=exits, .*dsn=4\.3\.0, status=deferred "
                          r"\(temporary failure\. Command output: the program says 75")  # fmt: skip
        self.system.command("postsuper", "-d", "ALL")

    def test_lmtp(self) -> None:
        """SM-*: each recipient has a reply of its own after the data."""
        token = self.world.send(["good@lmtp.example", "dataperm@lmtp.example"], sender="s2@far.example")
        self.assertEqual(sorted(self.world.got(token, self.boxes().lmtp).recipients),
                         ["dataperm@lmtp.example", "good@lmtp.example"])  # fmt: skip
        notice = self.world.got("To: s2@far.example")
        self.assertIn("<dataperm@lmtp.example>: host", notice.text)
        self.assertNotIn("<good@lmtp.example>: host", notice.text)

    def test_lmtp_socket(self) -> None:
        """SM-*: LMTP over a UNIX socket."""
        mark = self.system.mark()
        self.world.got(self.world.send("good@unix.example"), self.boxes().unix)
        self.assertLogged(r"to=<good@unix\.example>, relay=mx\.test\.example\[/.*/lmtp\], .*status=sent", mark)


_DOVECOT = """\
protocols = lmtp
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
listen = 127.0.0.1
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
mail_uid = {uid}
mail_gid = {gid}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u allow_all_users=yes
}}
passdb {{
  driver = static
  args = nopassword=y
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service stats {{
  chroot =
}}
"""


class DovecotWorld(World):
    """A real Dovecot that takes mail by LMTP."""

    def prepare(self) -> None:
        if not ROOT or not shutil.which("dovecot") or not os.path.exists("/usr/lib/dovecot/lmtp"):
            raise SkipTest("needs root and Dovecot with its LMTP server")
        self.folder = tempfile.mkdtemp(prefix="pytwfix-dovecot-")
        os.chmod(self.folder, 0o755)
        os.mkdir(f"{self.folder}/mail")
        os.chown(f"{self.folder}/mail", BOX_USER.pw_uid, BOX_USER.pw_gid)
        self.dovecot = free_port()
        text = _DOVECOT.format(folder=self.folder, port=self.dovecot, uid=BOX_USER.pw_uid, gid=BOX_USER.pw_gid)
        with open(f"{self.folder}/dovecot.conf", "w", encoding="ascii") as file:
            file.write(text)
        process = subprocess.Popen(
            ["dovecot", "-F", "-c", f"{self.folder}/dovecot.conf"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.closers += [lambda: shutil.rmtree(self.folder), lambda: _end(process)]
        wait_for(lambda: listens(self.dovecot), "Dovecot does not listen")

    def main(self) -> Mapping[str, str]:
        return {"transport_maps": f"inline:{{dove.example=lmtp:inet:127.0.0.1:{self.dovecot}}}"}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(10)


@in_each_mode
class Dovecot(WorldCase):
    """A mailbox server that many put behind a Postfix."""

    world_class = DovecotWorld

    def test_delivery(self) -> None:
        """SM-*: several recipients in one session; the mails are in their mailboxes."""
        assert isinstance(self.world, DovecotWorld)
        folder = self.world.folder
        token = self.world.send(["one@dove.example", "two@dove.example"])

        def found() -> bool:
            paths = glob.glob(f"{folder}/mail/*/new/*")
            seen = {path.split("/")[-3] for path in paths if token in content(path)}
            return seen == {"one@dove.example", "two@dove.example"}

        wait_for(found, self.system.told)
