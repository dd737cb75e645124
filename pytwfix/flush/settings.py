"""What flush reads (FL-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import time


class FlushSettings(CommonSettings):
    """What flush reads."""

    fast_flush_purge_time = time("7d", "When an unused log of a domain's mail is removed.", minimum=1)
    fast_flush_refresh_time = time("12h", "When a domain's log is written anew.", minimum=1)
