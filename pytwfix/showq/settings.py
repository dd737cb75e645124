"""What showq reads: so far only what all rooms share."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings


class ShowqSettings(CommonSettings):
    """What showq reads: so far only what all rooms share."""
