"""What pickup (PK-1) reads: so far only what all rooms share."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings


class PickupSettings(CommonSettings):
    """What pickup."""
