"""The text of a log line: time, host, tag, process ID (LG-16, LG-17)."""

from __future__ import annotations

import os
import socket
import time


class Stamp:
    """The prefix of a line in a log file, `Nov 22 10:35:40 host `, made once a second."""

    def __init__(self, hostname: str = "") -> None:
        self._host = (hostname or socket.gethostname()).split(".")[0]
        self._second = -1
        self._text = ""

    def __call__(self, now: float) -> str:
        second = int(now)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%b %e %H:%M:%S ", time.localtime(second)) + self._host + " "
        return self._text


def tag(syslog_name: str, program: str) -> str:
    """`postfix/smtpd[123]: `: the identity that log readers look for (SV-7)."""
    return f"{syslog_name}/{program}[{os.getpid()}]: "


SURELY_FITS = 500  # characters: whatever they are, not more than LONGEST octets
LONGEST = 2000  # octets of a line's text; Postfix writes no more of it


def clean(text: str) -> str:
    """One line, whatever was in it: a line end in a value must not start a line of its own, nor is it endless."""
    if len(text) > SURELY_FITS:
        text = text.encode("utf-8", "surrogateescape")[:LONGEST].decode("utf-8", "surrogateescape")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "?" for c in text)
