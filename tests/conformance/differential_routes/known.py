"""Where we and Debian's 3.7 differ on purpose, or in what no user would miss."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.differential_mail.compare import Seen
    from tests.conformance.differential_mail.mails import Mail

_SUSPENDED = "delivery temporarily suspended: "


def known(one: Mail, theirs: Seen, ours: Seen) -> str:
    """The name of a difference, or "" for what should have been the same."""
    if theirs.replies == ours.replies and _folded(theirs) == _folded(ours):
        return "letters of a host name, which is kept as the first one asked for it"
    if theirs.replies == ours.replies and _awake(theirs) == _awake(ours) and _suspended(theirs) != _suspended(ours):
        return "a destination that was found to be dead a moment earlier or later"
    if any("unknown service: [" in line for line in ours.logged):
        return "a relay host `smtp:[address]`, at which a real smtp ends"
    return ""


def _suspended(seen: Seen) -> int:
    return sum(_SUSPENDED in text for text in seen.logged)


def _awake(seen: Seen) -> list[list[str]]:
    """As if each recipient had been tried: the delivery line without the agent, `error` for those that wait."""
    tried = (re.sub(r"^[a-z/]+: to=<", "to=<", text).replace(_SUSPENDED, "") for text in seen.logged)
    return [sorted(text.lower() for text in seen.delivered), sorted(text.lower() for text in tried)]


def _folded(seen: Seen) -> list[list[str]]:
    return [sorted(text.lower() for text in texts) for texts in (seen.delivered, seen.logged)]
