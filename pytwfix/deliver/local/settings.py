"""What local reads (LO-1..LO-7)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, long_, raw, string


class LocalSettings(CommonSettings):
    """What local reads."""

    allow_mail_to_commands = string("alias, forward", 'Where "|command" is allowed: alias, forward, include.')
    allow_mail_to_files = string("alias, forward", "Where /file/name is allowed: alias, forward, include.")
    biff = boolean("yes", "Tell logged-in users of new mail by the comsat service.")
    command_execution_directory = raw("", "The directory in which local runs a command.")
    command_expansion_filter = string(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "Characters that may appear in $name in mailbox_command.",
        minimum=1,
    )
    execution_directory_expansion_filter = string(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "Characters that may appear in $name in command_execution_directory.",
        minimum=1,
    )
    expand_owner_alias = boolean("no", "Use what owner-list expands to as the sender, not owner-list itself.")
    fallback_transport = string("", "What takes mail for local users that do not exist.")
    fallback_transport_maps = string("", "The same, by recipient.")
    forward_expansion_filter = string(
        "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "Characters that may appear in $name in forward_path.",
        minimum=1,
    )
    forward_path = raw(
        "$home/.forward${recipient_delimiter}${extension}, $home/.forward",
        "Where a user's .forward file is looked for.",
    )
    frozen_delivered_to = boolean("yes", "Do not change Delivered-To while an address is expanded.")
    home_mailbox = string("", "The mailbox below a user's home; with a slash at the end a maildir.")
    local_command_shell = string("", "The shell for commands of local; empty runs simple ones without any.")
    local_delivery_status_filter = string(
        "$default_delivery_status_filter", "As default_delivery_status_filter, for local."
    )
    luser_relay = raw("", "Where mail for unknown local users goes.")
    mailbox_command = raw("", "The command that delivers to users' mailboxes.")
    mailbox_command_maps = string("", "The same, by user.")
    mailbox_delivery_lock = string("fcntl, dotlock", "How a mailbox is locked: fcntl, flock, dotlock.", minimum=1)
    mailbox_size_limit = long_("51200000", "How large a mailbox or file may become; 0 for no limit.")
    mailbox_transport = string("", "What delivers to all local users.")
    mailbox_transport_maps = string("", "The same, by user.")
    prepend_delivered_header = string(
        "command, file, forward", "Where local adds Delivered-To: command, file, forward."
    )
    require_home_directory = boolean("no", "Defer mail for users without a home directory.")
    reset_owner_alias = boolean("no", "Keep a list's owner as sender through nested aliases.")
    sun_mailtool_compatibility = boolean("no", "Lock with the old .lock name of mailtool.")
