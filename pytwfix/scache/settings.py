"""What scache reads (SC-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import time


class ScacheSettings(CommonSettings):
    """What scache reads."""

    connection_cache_status_update_time = time("600s", "How often the use of the cache is logged.", minimum=1)
    connection_cache_ttl_limit = time("2s", "The longest that an idle connection is kept.", minimum=1)
