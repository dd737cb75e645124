"""What bounce, defer and trace read (BO-1..BO-3, DS-*)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, string


class BounceSettings(CommonSettings):
    """What bounce, defer and trace read."""

    double_bounce_notice_recipient = string("postmaster", "", minimum=1, name="2bounce_notice_recipient")
    bounce_template_file = string("", "")
    delay_notice_recipient = string("postmaster", "", minimum=1)
    enable_threaded_bounces = boolean("no", "")
    requiretls_redact_dsn = boolean("yes", "")
