"""The first lines of a mail as a client sends it, before there is a header (INVENTORY OB-8). Pure; nothing raises.

What a mailbox had in front of the mail ("From somebody Thu Nov 26...") gets a name, so that the header goes on. A first
line that begins with white space goes on with nothing: it is no header, and an empty line is put in front of it.
"""

from __future__ import annotations

import re

NAME = b"X-Mailbox-Line: "
_MAILBOX = re.compile(rb">*From [^\n]*\n")
_PERHAPS = re.compile(rb">*(?:F(?:r(?:o(?:m(?: [^\n]*)?)?)?)?)?\Z")
_LONGEST = 65536  # a line without end is not waited for any longer


def from_mailbox(line: bytes) -> bool:
    """Whether a line, without its end, is what a mailbox has in front of a mail."""
    return line.lstrip(b">").startswith(b"From ")


class FirstLines:
    """Looks at pieces of content until its first line proper. `done`: pieces need not come here any more."""

    __slots__ = ("_kept", "done")

    def __init__(self) -> None:
        self._kept = b""
        self.done = False

    @property
    def pending(self) -> bool:
        """Whether something is kept that goes on with the next piece, or at the end."""
        return bool(self._kept)

    def feed(self, data: bytes) -> bytes:
        """What goes on of all that has come; a line that may still become either is kept."""
        data, self._kept = self._kept + data, b""
        out = b""
        at = 0
        while match := _MAILBOX.match(data, at):
            out += NAME + match.group()
            at = match.end()
        if len(data) - at <= _LONGEST and _PERHAPS.match(data, at):
            self._kept = data[at:]
            return out
        self.done = True
        return out + (b"\r\n" if data[at : at + 1] in (b" ", b"\t") else b"") + data[at:]

    def finish(self) -> bytes:
        """What was kept, when nothing more comes."""
        kept, self._kept, self.done = self._kept, b"", True
        return NAME + kept if from_mailbox(kept) else kept
