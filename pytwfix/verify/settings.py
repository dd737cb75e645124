"""What verify reads (VE-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import time


class VerifySettings(CommonSettings):
    """What verify reads."""

    address_verify_cache_cleanup_interval = time(
        "12h", "How long between two sweeps over the verification cache; 0 turns them off."
    )
    address_verify_negative_expire_time = time("3d", "When a failed address is forgotten.", minimum=1)
    address_verify_negative_refresh_time = time("3h", "When a failed address is probed anew.", minimum=1)
    address_verify_positive_expire_time = time("31d", "When a good address is forgotten.", minimum=1)
    address_verify_positive_refresh_time = time("7d", "When a good address is probed anew.", minimum=1)
