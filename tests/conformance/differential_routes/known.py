"""Where we and Debian's 3.7 differ on purpose, or in what no user would miss."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.differential_mail.compare import Seen
    from tests.conformance.differential_mail.mails import Mail


def known(one: Mail, theirs: Seen, ours: Seen) -> str:
    """The name of a difference, or "" for what should have been the same."""
    if theirs.replies == ours.replies and _folded(theirs) == _folded(ours):
        return "letters of a host name, which is kept as the first one asked for it"
    if any("unknown service: [" in line for line in ours.logged):
        return "a relay host `smtp:[address]`, at which a real smtp ends"
    return ""


def _folded(seen: Seen) -> list[list[str]]:
    return [sorted(text.lower() for text in texts) for texts in (seen.delivered, seen.logged)]
