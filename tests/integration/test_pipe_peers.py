"""procmail and maildrop as people run them: behind pipe(8), and as mailbox_command (PI-1, LO-3, LO-6)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence

from twisted.trial.unittest import SkipTest

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit.mailsystem import ROOT, content

_USER = "nobody"
# A filter language each: by the subject into a folder, to an exit status, or into the usual mailbox.
_PROCMAILRC = """\
DEFAULT=@DIR@/vmail/procmail/
LOGFILE=@DIR@/vmail/procmail.log
:0
* ^Subject: lists
@DIR@/vmail/lists/
:0
* ^Subject: unknown
{
  EXITCODE=67
  HOST
}
:0
* ^Subject: later
{
  EXITCODE=75
  HOST
}
"""
_MAILFILTER = """\
DEFAULT="@DIR@/vmail/maildrop"
if (/^Subject: lists/)
{
  to "@DIR@/vmail/maillists"
}
if (/^Subject: unknown/)
{
  EXITCODE=67
  exit
}
if (/^Subject: later/)
{
  EXITCODE=75
  exit
}
"""


class FilterWorld(World):
    """procmail.example and maildrop.example are transports; test.example has procmail for its mailbox_command."""

    def prepare(self) -> None:
        if not ROOT:
            raise SkipTest("not root: the filters run as other users")
        for program in ("procmail", "maildrop"):
            if not shutil.which(program):
                raise SkipTest(f"no {program}: make peers")

    def main(self) -> Mapping[str, str]:
        return {
            "transport_maps": "inline:{procmail.example=procmail:, maildrop.example=maildrop:}",
            "procmail_destination_recipient_limit": "1", "maildrop_destination_recipient_limit": "1",
            "mailbox_command": '/usr/bin/procmail -a "$EXTENSION" -m @CONFIG@/procmailrc', "local_recipient_maps": "",
            "minimal_backoff_time": "1000s",
        }  # fmt: skip

    def services(self) -> Sequence[str]:
        return [
            *super().services(),
            "procmail unix - n n - - pipe\n  flags=ODRhu user=nobody argv=/usr/bin/procmail -m -t @CONFIG@/procmailrc "
            "${sender} ${recipient}",
            "maildrop unix - n n - - pipe\n  flags=ODRXhu user=nobody argv=/usr/bin/maildrop @CONFIG@/mailfilter "
            "${user}@${nexthop} ${extension}",
        ]

    def tables(self) -> Mapping[str, str]:
        return {"procmailrc": _PROCMAILRC, "mailfilter": _MAILFILTER}

    def furnish(self) -> None:
        system = self.system
        system.write_master("".join(system.filled(line) + "\n" for line in self.services()))
        system.write_main(**{name: system.filled(text) for name, text in self.main().items()})
        box = f"{system.directory}/vmail"
        for path in (box, f"{box}/lists", f"{box}/procmail"):
            os.mkdir(path)
            shutil.chown(path, _USER)
        shutil.chown(f"{system.config}/mailfilter", _USER)
        os.chmod(f"{system.config}/mailfilter", 0o600)
        os.chmod(system.config, 0o755)


@in_each_mode
class Filters(WorldCase):
    world_class = FilterWorld

    def sent(self, program: str, subject: str, status: str) -> str:
        """The token of a mail, when the agent has said of it what it should."""
        mark = self.system.mark()
        token = self.world.send(f"bob+ext@{program}.example", subject=subject)
        self.assertLogged(rf"to=<bob\+ext@{program}\.example>, relay={program}, .*{status}", mark)
        return token

    def test_procmail(self) -> None:
        """PI-1: into the usual mailbox, and into a folder by a recipe."""
        fine = r"dsn=2\.0\.0, status=sent \(delivered via procmail service"
        token = self.sent("procmail", "hello", fine)
        text = content(self.system.file_with("vmail/procmail/*/*", token))
        self.assertIn("X-Original-To: bob+ext@procmail.example\nDelivered-To: bob+ext@procmail.example\n", text)
        self.system.file_with("vmail/lists/*/*", self.sent("procmail", "lists: news", fine))

    def test_maildrop(self) -> None:
        """PI-1: the same by a mailfilter."""
        fine = r"dsn=2\.0\.0, status=sent \(delivered via maildrop service"
        text = content(self.system.file_with("vmail/maildrop", self.sent("maildrop", "hello", fine)))
        self.assertIn("Delivered-To: bob+ext@maildrop.example\n", text)
        self.system.file_with("vmail/maillists", self.sent("maildrop", "lists: news", fine))

    def test_exit_codes(self) -> None:
        """PI-1: 67 is an unknown user, 75 means later."""
        for program in ("procmail", "maildrop"):
            self.sent(program, "unknown", r"dsn=5\.1\.1, status=bounced \(user unknown")
            self.sent(program, "later", r"dsn=4\.3\.0, status=deferred \(temporary failure")

    def test_mailbox_command(self) -> None:
        """LO-6: mailbox_command with the recipient's rights."""
        mark = self.system.mark()
        token = self.world.send(f"{_USER}+ext@test.example")
        self.assertLogged(r"relay=local, .*dsn=2\.0\.0, status=sent \(delivered to command: /usr/bin/procmail", mark)
        self.system.file_with("vmail/procmail/*/*", token)
