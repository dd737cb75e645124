"""What postlogd reads (PL-1, PL-2)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import time


class PostlogdSettings(CommonSettings):
    """What postlogd reads."""

    postlogd_watchdog_timeout = time("10s", "How long postlogd may be stuck.", minimum=10)
