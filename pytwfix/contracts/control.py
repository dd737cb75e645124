"""What commands ask of the running system (HOUSE 3, Commands). Light: command line programs import it.

One socket, `$queue_directory/submit/socket` for everyone (peer's uid from SO_PEERCRED) and
`$queue_directory/private/control` for root and mail_owner. A request is one JSON line
`{"verb": ..., ...}` in UTF-8 (bytes that are not UTF-8 as surrogateescape); the answer is JSON lines, the last one
`{"ok": true, ...}` or `{"ok": false, "error": "...", "code": sysexits}`. After `submit` the client sends one maildrop
file (records, RF-2) behind a decimal length line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

SUBMIT_SOCKET = "submit/socket"
CONTROL_SOCKET = "private/control"

# Verbs that an ordinary user may use on the submit socket (authorized_*_users hold), and those of the control socket.
PUBLIC_VERBS = ("list", "flush", "deliver", "submit", "status")
CONTROL_VERBS = PUBLIC_VERBS + ("hold", "release", "delete", "requeue", "expire", "reload", "stop")


class IControl(Protocol):
    """The daemon's side of it."""

    def request(self, verb: str, arguments: dict[str, Any], uid: int) -> Deferred[list[dict[str, Any]]]:
        """All lines but the last. Errback: MailError or ValueError."""
