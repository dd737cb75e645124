"""What error and retry reads: so far only what all rooms share."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings


class ErrorSettings(CommonSettings):
    """What error and retry reads: so far only what all rooms share."""
