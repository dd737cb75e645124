"""What discard reads: so far only what all rooms share."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings


class DiscardSettings(CommonSettings):
    """What discard reads: so far only what all rooms share."""
