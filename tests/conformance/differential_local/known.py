"""Where we and Debian's 3.7 differ on purpose, or in what no user would miss."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.conformance.differential_mail.alike import alike

if TYPE_CHECKING:
    from tests.conformance.differential_mail.compare import Seen
    from tests.conformance.differential_mail.mails import Mail


def known(one: Mail, theirs: Seen, ours: Seen) -> str:
    """The name of a difference, or "" for what should have been the same."""
    if alike(theirs, ours, lambda text: re.sub(r"Original-Recipient: [^\n]*\n", "", text)):
        return "Original-Recipient of a faulty alias that has an owner"
    if alike(theirs, ours, lambda text: None if "notification for single-bounce message" in text else text):
        return "a null sender who asked for success reports is told of in the log where nothing succeeded"
    return ""
