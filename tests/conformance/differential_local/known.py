"""Where we and Debian's 3.7 differ on purpose, or in what no user would miss."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.differential_mail.compare import Seen
    from tests.conformance.differential_mail.mails import Mail


def known(one: Mail, theirs: Seen, ours: Seen) -> str:
    """The name of a difference, or "" for what should have been the same."""
    if _same(theirs, ours, lambda text: re.sub(r"Original-Recipient: [^\n]*\n", "", text)):
        return "Original-Recipient of a faulty alias that has an owner"
    if _same(theirs, ours, lambda text: "" if "notification for single-bounce message" in text else text):
        return "a null sender who asked for success reports is told of in the log where nothing succeeded"
    return ""


def _same(theirs: Seen, ours: Seen, without: Callable[[str], str]) -> bool:
    """Whether both are equal, but for what is taken away."""
    return theirs.replies == ours.replies and all(
        sorted(filter(None, map(without, one))) == sorted(filter(None, map(without, other)))
        for one, other in ((theirs.delivered, ours.delivered), (theirs.logged, ours.logged))
    )
