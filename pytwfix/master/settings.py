"""What the master (MA-*) reads: so far only what all rooms share."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings


class MasterSettings(CommonSettings):
    """What the master reads."""
