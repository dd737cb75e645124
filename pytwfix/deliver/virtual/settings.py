"""What virtual reads (VI-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import integer, long_, string


class VirtualSettings(CommonSettings):
    """What virtual reads."""

    virtual_delivery_status_filter = string("$default_delivery_status_filter", "")
    virtual_gid_maps = string("", "")
    virtual_mailbox_base = string("", "", minimum=1)
    virtual_mailbox_limit = long_("51200000", "")
    virtual_mailbox_lock = string("fcntl, dotlock", "", minimum=1)
    virtual_minimum_uid = integer("100", "", minimum=1)
    virtual_uid_maps = string("", "")
