"""What bounce, defer and trace read (BO-1..BO-3, DS-*)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, string


class BounceSettings(CommonSettings):
    """What bounce, defer and trace read."""

    double_bounce_notice_recipient = string(
        "postmaster", "Who gets notices that could not be delivered.", minimum=1, name="2bounce_notice_recipient"
    )
    bounce_template_file = string("", "A file with other texts for notices.")
    delay_notice_recipient = string("postmaster", "Who gets the postmaster's copies of delay warnings.", minimum=1)
    enable_threaded_bounces = boolean("no", "Give notices the references of the mail that they are about.")
    requiretls_redact_dsn = boolean("yes", "Leave content out of notices about REQUIRETLS mail.")
