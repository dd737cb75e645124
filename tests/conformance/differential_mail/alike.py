"""Whether two systems did the same, but for what is taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.differential_mail.compare import Seen


def alike(theirs: Seen, ours: Seen, without: Callable[[str], str | None]) -> bool:
    """`without` gives what is left of a delivery or a log line; None: nothing, as if it had not been."""

    def left(texts: list[str]) -> list[str]:
        return sorted(text for text in map(without, texts) if text is not None)

    return (theirs.replies, left(theirs.delivered), left(theirs.logged)) == (
        ours.replies, left(ours.delivered), left(ours.logged),
    )  # fmt: skip
