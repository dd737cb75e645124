"""What dnsblog reads (DB-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import time


class DnsblogSettings(CommonSettings):
    """What dnsblog reads."""

    dnsblog_reply_delay = time("0s", "Wait before an answer, for tests.")
