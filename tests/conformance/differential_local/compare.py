"""Two mail systems with the same random aliases, .forward files, mailboxes and commands."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator
from random import Random

from tests.conformance.differential_local import worlds
from tests.conformance.differential_local.known import known
from tests.conformance.differential_mail.compare import Outcome, Side, in_order, sent
from tests.kit.mailsystem import INLINE, POSTFIX, content
from tests.kit.waiting import free_port

_DATE = re.compile(r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$", re.MULTILINE)
_MBOX = re.compile(r"^(?=From [^\n]*  DATE$)", re.MULTILINE)


class LocalSide(Side):
    """One system with mailboxes, all of them below its own directory."""

    follows = notices = True
    fatal = ": No such file or directory"

    def furnish(self, random: Random) -> tuple[dict[str, str], dict[str, str]]:
        main, tables = worlds.settings(random), worlds.tables(random)
        main["relayhost"] = f"[127.0.0.1]:{self.sink.port}"
        self.files = worlds.files(random)
        self.lines = [f"127.0.0.1:{self.ports[0]} inet n - n - - smtpd", *worlds.services(random)]
        self.chosen = {name: value for name, value in main.items() if value != worlds.MAIN.get(name)}
        self.tables = tables
        return main, tables

    def begin(self) -> None:
        here = self.system.directory
        for name in ("boxes", "forwards", "files", "include", "virtual", "homes"):
            os.mkdir(f"{here}/{name}")
            os.chmod(f"{here}/{name}", 0o1777 if name in ("boxes", "files", "virtual") else 0o755)
        for name, script in worlds.SCRIPTS.items():
            self._file(worlds.File(name, script, 0o755))
        for one in self.files:
            self._file(one)
        os.makedirs(f"{here}/files/folder")

    def _file(self, one: worlds.File) -> None:
        path = f"{self.system.directory}/{one.name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.system.filled(one.text))
        os.chmod(path, one.mode)
        account = pwd.getpwnam(one.owner)
        os.chown(path, account.pw_uid, account.pw_gid)

    def where(self, at: int) -> str:
        tables = "".join(f"{name}:\n{text}" for name, text in self.tables.items())
        files = "".join(f"{one.name} ({one.owner}, {one.mode:o}): {one.text!r}\n" for one in self.files)
        return f"{self.chosen}\n{tables}{files}" + "\n".join(self.lines[1:])

    def others(self) -> Iterator[str]:
        """Each mail in a mailbox, and each command's report, after the name of the file and its owner."""
        here = self.system.directory
        for top in ("boxes", "files", "virtual", "homes"):
            for folder, _inner, names in os.walk(f"{here}/{top}"):
                for name in sorted(names):
                    yield from self._mails(folder, name)

    def _mails(self, folder: str, name: str) -> Iterator[str]:
        path = f"{folder}/{name}"
        found = os.stat(path)
        text = _DATE.sub("DATE", content(path))
        shown = path if os.path.basename(folder) not in ("new", "cur", "tmp") else folder
        shown = re.sub(r"command\.\w+", "command", shown)
        for part in _MBOX.split(text) if "/files/command." not in path else [text]:
            if part:
                yield f"{shown} {found.st_uid} {found.st_gid} {found.st_mode & 0o7777:o}\n{in_order(part)}"

    def masked(self, text: str) -> str:
        text = text.replace(self.system.directory, "DIR").replace(str(self.sink.port), "PORT")
        return re.sub(r"SIZE=\d+", "SIZE", text)  # of a notice in which a file's unique name is


def round_of(seed: int, count: int) -> Outcome:
    """New files from a seed, and so many mails."""
    sides: dict[str, Side] = {}
    try:
        for kind in (POSTFIX, INLINE):
            sides[kind] = LocalSide(kind, [free_port()], seed)
        return sent(sides, count, seed, worlds.mail, known)
    finally:
        for side in sides.values():
            side.close()
