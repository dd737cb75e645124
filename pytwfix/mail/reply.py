"""An SMTP reply as a value (RFC 5321 section 4.2, RFC 2034, RFC 3463)."""

from __future__ import annotations

from typing import NamedTuple


class Reply(NamedTuple):
    """One reply: `code` 200..599, `dsn` an enhanced status such as "5.7.1" or "" for none, `text` without either.

    A text with newlines is a multi-line reply. `hangup` closes the connection after the reply (421, 521).
    """

    code: int
    dsn: str
    text: str
    hangup: bool = False

    def line(self) -> str:
        """The reply as Postfix logs it: code, enhanced status, text in one line."""
        return f"{self.code} {self.dsn} {self.text}" if self.dsn else f"{self.code} {self.text}"

    def wire(self) -> bytes:
        """The reply as it is sent, every line ended by CRLF."""
        prefix = f"{self.dsn} " if self.dsn else ""
        if "\n" not in self.text:
            return f"{self.code} {prefix}{self.text}\r\n".encode("utf-8", "replace")
        lines = self.text.split("\n")
        out = [f"{self.code}-{prefix}{line}\r\n" for line in lines[:-1]]
        out.append(f"{self.code} {prefix}{lines[-1]}\r\n")
        return "".join(out).encode("utf-8", "replace")

    def softened(self) -> Reply:
        """A 5xx reply made 4xx, also in its enhanced status (soft_bounce, SD-24)."""
        if self.code < 500:
            return self
        dsn = "4" + self.dsn[1:] if self.dsn else self.dsn
        return self._replace(code=self.code - 100, dsn=dsn)
