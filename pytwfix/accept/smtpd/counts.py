"""What a session did, for its last log line, and how badly (SD-14, SD-60)."""

from __future__ import annotations

from pytwfix.dialogs import smtp_events as events
from pytwfix.dialogs.smtp_commands import COMMANDS
from pytwfix.mail.reply import Reply

_ORDER = (*(verb.decode("ascii") for verb in COMMANDS), "UNKNOWN")
_JUNK = frozenset(("HELO", "EHLO", "RSET", "NOOP", "VRFY", "ETRN"))
# DATA succeeds when the mail does, STARTTLS when the handshake does, AUTH when the client is known;
# XCLIENT is another client's business.
_LATER = frozenset((events.Data, events.StartTls, events.Attributes, events.Auth, events.Response))


class Counts:
    """Commands by verb, errors, and commands that do nothing (junk)."""

    __slots__ = ("_forgiven", "_good", "_hard", "_junk_limit", "_soft", "_total", "chunk", "errors", "junk", "slow")

    def __init__(self, soft: int, hard: int, junk_limit: int) -> None:
        self._good: dict[str, int] = {}
        self._total: dict[str, int] = {}
        self._soft = soft
        self._hard = hard
        self._junk_limit = junk_limit
        self._forgiven = False
        self.errors = 0
        self.junk = 0
        self.chunk = 0  # the size of the last BDAT
        self.slow = False

    def begin(self, verb: str) -> None:
        self._total[verb] = self._total.get(verb, 0) + 1
        if verb in _JUNK:
            self.errors += self.junk > self._junk_limit
            self.junk += 1

    def forgive(self, really: bool) -> None:
        """The next refusal is no error of the client (too many recipients, up to a point)."""
        self._forgiven = really

    def end(self, event: events.Event, reply: Reply) -> None:
        """A reply goes out."""
        kind = type(event)
        if self._forgiven:
            self.good(event.verb)
        elif reply.code >= 400 or kind is events.Unknown:
            self.errors += 1
        elif kind not in _LATER and event.verb:
            self.good(event.verb)
        self._forgiven = False
        self.slow = self.errors >= self._soft

    def mail(self) -> None:
        """A mail was taken: what went wrong before it is forgotten."""
        self.errors = self.junk = 0

    def good(self, verb: str) -> None:
        """A command of this kind has succeeded."""
        self._good[verb] = self._good.get(verb, 0) + 1

    @property
    def too_many(self) -> bool:
        return self.errors >= self._hard

    def line(self) -> str:
        """` ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4`."""
        out = ""
        for verb in _ORDER:
            total = self._total.get(verb)
            if total:
                out += f" {verb.lower()}={_of(self._good.get(verb, 0), total)}"
        good, total = sum(self._good.values()), sum(self._total.values())
        return f"{out} commands={_of(good, total) if total else '0/0'}"


def _of(good: int, total: int) -> str:
    return str(total) if good == total else f"{good}/{total}"
