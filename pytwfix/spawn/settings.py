"""What spawn (SP-1) reads: so far only what all rooms share."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings


class SpawnSettings(CommonSettings):
    """What spawn."""
