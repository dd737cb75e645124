"""What anvil reads (AN-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import time


class AnvilSettings(CommonSettings):
    """What anvil reads."""

    anvil_rate_time_unit = time("60s", "The unit of time over which rates are counted.", minimum=1)
    anvil_status_update_time = time("600s", "How often the highest counts are logged.", minimum=1)
