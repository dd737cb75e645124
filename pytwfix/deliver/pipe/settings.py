"""What pipe reads (PI-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import string


class PipeSettings(CommonSettings):
    """What pipe reads."""

    pipe_delivery_status_filter = string(
        "$default_delivery_status_filter", "As default_delivery_status_filter, for pipe."
    )
