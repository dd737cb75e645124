"""What virtual reads (VI-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import integer, long_, string


class VirtualSettings(CommonSettings):
    """What virtual reads."""

    virtual_delivery_status_filter = string(
        "$default_delivery_status_filter", "As default_delivery_status_filter, for virtual."
    )
    virtual_gid_maps = string("", "Group IDs by recipient.")
    virtual_mailbox_base = string("", "The directory that virtual_mailbox_maps start from.", minimum=1)
    virtual_mailbox_limit = long_("51200000", "How large a virtual mailbox may become; 0 for no limit.")
    virtual_mailbox_lock = string(
        "fcntl, dotlock", "How a virtual mailbox is locked: fcntl, flock, dotlock.", minimum=1
    )
    virtual_minimum_uid = integer("100", "The smallest user ID in virtual_uid_maps.", minimum=1)
    virtual_uid_maps = string("", "User IDs by recipient.")
