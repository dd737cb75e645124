"""Clients that send mail without end, as a process of its own, whatever becomes of the server.

    python -m tests.kit.senders PORT SESSIONS TO[,TO...] [COMMAND...]

Prints `token digest recipient` for each recipient of a mail that was answered 250 (or for which COMMAND, a sendmail,
exited 0), as soon as it was.
A mail that was not answered is not sent again: who knows whether it was taken. Ends when its standard input does.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import smtplib
import subprocess
import sys
import threading
import time

_numbers = itertools.count(1)
_saying = threading.Lock()


def digest(content: bytes) -> str:
    """Of a mail's body, whatever its line ends are."""
    _head, _empty, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    return hashlib.md5(body).hexdigest()


def mail(size: int) -> tuple[str, bytes]:
    """(token, mail) with a body that no other has."""
    token = f"t{os.getpid()}x{next(_numbers)}"
    lines = b"".join(b"%s line %d\r\n" % (token.encode(), number) for number in range(max(1, size // 20)))
    return token, b"Subject: load\r\nX-Token: " + token.encode() + b"\r\n\r\n" + lines


def accepted(token: str, content: bytes, to: list[str]) -> None:
    lines = "".join(f"{token} {digest(content)} {recipient}\n" for recipient in to)
    with _saying:
        sys.stdout.write(lines)
        sys.stdout.flush()


class Senders:
    """Threads, each with a connection of its own, until `stop` is set."""

    def __init__(self, port: int, to: list[str], command: list[str]) -> None:
        self.port = port
        self.to = to
        self.sendmail = command
        self.stop = threading.Event()

    def run(self, sessions: int) -> None:
        works = [self.by_smtp] * sessions + ([self.by_command] if self.sendmail else [])
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        self.stop.set()
        for thread in threads:
            thread.join()

    def by_smtp(self) -> None:
        while not self.stop.is_set():
            try:
                self._session(random.randrange(1, 20))
            except (OSError, smtplib.SMTPException):
                time.sleep(0.05)

    def _session(self, mails: int) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, local_hostname="load.example", timeout=20) as client:
            for _ in range(mails):
                if self.stop.is_set():
                    return
                token, content = mail(random.choice((300, 2000, 30000)))
                to = random.sample(self.to, random.randint(1, len(self.to)))
                client.sendmail("load@there.example", to, content)
                accepted(token, content, to)
                time.sleep(random.random() * 0.02)

    def by_command(self) -> None:
        while not self.stop.is_set():
            token, content = mail(500)
            text = content.replace(b"\r\n", b"\n")
            argv = [*self.sendmail, "-i", "-f", "load@there.example", self.to[0]]
            done = subprocess.run(argv, input=text, stderr=subprocess.DEVNULL)
            if done.returncode == 0:
                accepted(token, text, self.to[:1])
            time.sleep(0.1)


def main(port: str, sessions: str, to: str, *command: str) -> None:
    Senders(int(port), to.split(","), list(command)).run(int(sessions))


if __name__ == "__main__":
    main(*sys.argv[1:])
