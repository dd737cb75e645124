"""Real mails through the system, from three clients into a Maildir and a sink: all must come out as they went in.

    python -m tests.integration.corpus [--mode inline|workers1|workers2|postfix] [DIRECTORY...]

The mails are those that other programs test themselves with: CPython's email package, SpamAssassin's samples, and every
.eml file of a DIRECTORY. A mail is sent by smtplib, by swaks, and by our sendmail, to both ends at once. Fields that
the way adds may be in front or behind; everything else must be there in its order, byte for byte.
"""

from __future__ import annotations

import argparse
import glob
import os
import pwd
import re
import shutil
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence

from tests.kit.mailsystem import MODES, POSTFIX, ROOT, content, listener, make
from tests.kit.sinks import Sink
from tests.kit.waiting import free_port

ADDED = {
    b"received", b"return-path", b"delivered-to", b"x-original-to", b"message-id", b"date", b"from", b"to",
}  # fmt: skip
_BOX = pwd.getpwnam("mail") if ROOT else pwd.getpwuid(os.geteuid())
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_PLACES = (
    f"{sys.base_prefix}/lib/python3*/test/test_email/data/msg_*.txt",
    "/usr/lib/python3*/test/test_email/data/msg_*.txt",
    os.path.expanduser("~/.pyenv/versions/*/lib/python3*/test/test_email/data/msg_*.txt"),
    "/usr/share/doc/spamassassin/examples/sample-*.txt",
    "/usr/share/doc/*/examples/*.eml",
    "/usr/share/perl5/**/*.eml",
)


def collection(directories: Sequence[str] = ()) -> dict[str, bytes]:
    """Name to mail: each that is found, once, with CRLF line ends."""
    found: dict[bytes, str] = {}
    for place in [*_PLACES, *(f"{one}/**/*.eml" for one in directories)]:
        for path in sorted(glob.glob(place, recursive=True)):
            with open(path, "rb") as file:
                found.setdefault(_as_smtp(file.read()), path)
    return {path: mail for mail, path in found.items() if mail}


def _as_smtp(raw: bytes) -> bytes:
    mail = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    mail = mail.partition(b"\r\n")[2] if mail.startswith(b"From ") else mail
    return mail if mail.endswith(b"\r\n") or not mail else mail + b"\r\n"


# -- what came, beside what was sent


def split(mail: bytes) -> tuple[list[bytes], bytes]:
    """(fields, body): the header ends before an empty line, or before one that cannot be in a header."""
    fields: list[bytes] = []
    at = 0
    while at < len(mail):
        end = mail.index(b"\n", at) + 1
        line = mail[at:end]
        if line in (b"\n", b"\r\n"):
            return fields, mail[end:]
        if line[:1] in b" \t" and fields:
            fields[-1] += line
        elif _FIELD.match(line):
            fields.append(line)
        else:
            break
        at = end
    return fields, mail[at:]


def difference(sent: bytes, came: bytes) -> str:
    """What is not as it was sent, or nothing. Both have CRLF line ends."""
    wanted, body = split(sent)
    fields, came_body = split(came)
    if body != came_body:
        return f"body of {len(body)} bytes came as one of {len(came_body)}"
    left = iter(fields)
    for field in wanted:
        extra = _before(field, left)
        if extra is None:
            return f"field {field!r} did not come"
        if not {_name(one) for one in extra} <= ADDED:
            return f"fields came up: {extra}"
    rest = list(left)
    return "" if {_name(one) for one in rest} <= ADDED else f"fields came up: {rest}"


def _before(field: bytes, fields: Iterable[bytes]) -> list[bytes] | None:
    """The fields up to this one; None when it does not come."""
    passed: list[bytes] = []
    for one in fields:
        if one == field:
            return passed
        passed.append(one)
    return None


def _name(field: bytes) -> bytes:
    return field.partition(b":")[0].strip().lower()


# -- sending


class Journey:
    """All mails of a collection through one system."""

    def __init__(self, mode: str, mails: dict[str, bytes]) -> None:
        self.mails = mails
        self.sink = Sink()
        self.port = free_port()
        self.system = make(mode, self._main(), [listener(self.port)])
        os.mkdir(f"{self.system.directory}/vmail")
        os.chown(f"{self.system.directory}/vmail", _BOX.pw_uid, _BOX.pw_gid)
        self.ways: dict[str, Callable[[str, bytes], None]] = {"smtplib": self.by_smtplib, "sendmail": self.by_sendmail}
        if shutil.which("swaks"):
            self.ways["swaks"] = self.by_swaks
        self.to = ["user@far.example", "box@box.example"]

    def _main(self) -> dict[str, str]:
        return {
            "relayhost": f"[127.0.0.1]:{self.sink.port}", "local_header_rewrite_clients": "",
            "append_at_myorigin": "no", "append_dot_mydomain": "no", "swap_bangpath": "no", "allow_percent_hack": "no",
            "message_drop_headers": "", "smtp_line_length_limit": "0", "message_size_limit": "100000000",
            "virtual_mailbox_limit": "0",
            "virtual_mailbox_domains": "box.example", "virtual_mailbox_base": "@DIR@/vmail",
            "virtual_mailbox_maps": "inline:{box@box.example=box/}", "virtual_minimum_uid": "1",
            "virtual_uid_maps": f"static:{_BOX.pw_uid}", "virtual_gid_maps": f"static:{_BOX.pw_gid}",
        }  # fmt: skip

    def by_smtplib(self, sender: str, mail: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.sendmail(sender, self.to, mail)

    def by_sendmail(self, sender: str, mail: bytes) -> None:
        self.system.ask("sendmail", "-i", "-f", sender, *self.to, text=mail.replace(b"\r\n", b"\n"))

    def by_swaks(self, sender: str, mail: bytes) -> None:
        path = f"{self.system.directory}/mail"
        with open(path, "wb") as file:
            file.write(re.sub(rb"(?m)^\.", b"..", mail) + b".")
        argv = ["swaks", "--server", f"127.0.0.1:{self.port}", "--from", sender, "--to", ",".join(self.to)]
        done = subprocess.run([*argv, "--no-data-fixup", "--data", f"@{path}"], capture_output=True, timeout=60)
        if done.returncode:
            raise AssertionError(f"swaks: {done.stdout!r}")

    def run(self) -> Report:
        """Send all, wait, compare."""
        report = Report()
        sent: dict[str, tuple[str, bytes]] = {}
        try:
            self.system.start(self.port)
            for number, (name, mail) in enumerate(self.mails.items()):
                for way, send in self.ways.items():
                    sender = f"mail{number}-{way}@corpus.example"
                    sent[sender] = (f"{name} by {way}", mail)
                    send(sender, mail)
            self._wait(2 * len(sent))
            for place, came in (("sink", self._at_sink()), ("Maildir", self._in_maildir())):
                report.add(place, sent, came)
        finally:
            self.system.remove()
            self.sink.close()
        return report

    def _wait(self, wanted: int) -> None:
        end = time.monotonic() + 120
        while len(self.sink.messages) + len(self._files()) < wanted and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(0.5)

    def _files(self) -> list[str]:
        return glob.glob(f"{self.system.directory}/vmail/box/new/*")

    def _at_sink(self) -> list[tuple[str, bytes]]:
        return [(one.sender, one.content) for one in self.sink.messages]

    def _in_maildir(self) -> list[tuple[str, bytes]]:
        """Each with its envelope sender, from Return-Path."""
        found = []
        for path in self._files():
            raw = content(path).encode("utf-8", "surrogateescape")
            sender = raw.partition(b"<")[2].partition(b">")[0].decode()
            found.append((sender, raw.replace(b"\n", b"\r\n")))
        return found


class Report:
    """How many were sent and came, and what is wrong."""

    def __init__(self) -> None:
        self.sent = 0
        self.arrived = 0
        self.different: list[str] = []
        self.wrong: list[str] = []

    def add(self, place: str, sent: dict[str, tuple[str, bytes]], came: list[tuple[str, bytes]]) -> None:
        self.sent += len(sent)
        left = dict(sent)
        for sender, mail in came:
            if sender not in left:
                self.wrong.append(f"{place}: {sender} came twice, or was not sent")
                continue
            name, original = left.pop(sender)
            self.arrived += 1
            what = difference(original, mail)
            if what:
                self.different.append(f"{place}: {name}: {what}")
        self.wrong += [f"{place}: {name} did not come" for name, _mail in left.values()]

    @property
    def good(self) -> bool:
        return not self.different and not self.wrong

    def __str__(self) -> str:
        total = f"{self.sent} sent, {self.arrived} arrived, {len(self.different)} different"
        return "\n".join([*self.wrong, *self.different, total])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mode", choices=[*MODES, POSTFIX], default=MODES[0])
    parser.add_argument("directory", nargs="*")
    options = parser.parse_args()
    mails = collection(options.directory)
    print(f"{len(mails)} mails, {sum(map(len, mails.values()))} bytes", flush=True)
    report = Journey(options.mode, mails).run()
    print(report)
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
