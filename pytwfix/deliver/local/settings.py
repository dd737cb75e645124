"""What local reads (LO-1..LO-7)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, long_, raw, string


class LocalSettings(CommonSettings):
    """What local reads."""

    allow_mail_to_commands = string("alias, forward", "")
    allow_mail_to_files = string("alias, forward", "")
    biff = boolean("yes", "")
    command_execution_directory = raw("", "")
    command_expansion_filter = string(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "", minimum=1
    )
    execution_directory_expansion_filter = string(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "", minimum=1
    )
    expand_owner_alias = boolean("no", "")
    fallback_transport = string("", "")
    fallback_transport_maps = string("", "")
    forward_expansion_filter = string(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "", minimum=1
    )
    forward_path = raw("$home/.forward${recipient_delimiter}${extension}, $home/.forward", "")
    frozen_delivered_to = boolean("yes", "")
    home_mailbox = string("", "")
    local_command_shell = string("", "")
    local_delivery_status_filter = string("$default_delivery_status_filter", "")
    luser_relay = raw("", "")
    mailbox_command = raw("", "")
    mailbox_command_maps = string("", "")
    mailbox_delivery_lock = string("fcntl, dotlock", "", minimum=1)
    mailbox_size_limit = long_("51200000", "")
    mailbox_transport = string("", "")
    mailbox_transport_maps = string("", "")
    prepend_delivered_header = string("command, file, forward", "")
    require_home_directory = boolean("no", "")
    reset_owner_alias = boolean("no", "")
    sun_mailtool_compatibility = boolean("no", "")
