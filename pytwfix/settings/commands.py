"""What the commands observe: sendmail, postdrop, postqueue, postmulti."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import string


class CommandSettings(CommonSettings):
    """What the commands observe: sendmail, postdrop, postqueue, postmulti."""

    authorized_flush_users = string("static:anyone", "Who may flush the queue.")
    authorized_mailq_users = string("static:anyone", "Who may see the queue.")
    authorized_submit_users = string("static:anyone", "Who may submit mail by sendmail and postdrop.")
    empty_address_local_login_sender_maps_lookup_key = string(
        "<>", "What the null sender is called in local_login_sender_maps."
    )
    local_login_sender_maps = string("static:*", "Which senders a login may use in sendmail.")
    non_bdb_migration_allow_root_prefixes = string(
        "/etc /usr/local/etc", "Where root's Berkeley DB tables may be rebuilt as another type."
    )
    non_bdb_migration_allow_user_prefixes = string(
        "$data_directory /var/lib/mailman /var/lib/mailman3",
        "Where other users' Berkeley DB tables may be rebuilt as another type.",
    )
    postmulti_control_commands = string("reload flush", "Commands that postmulti gives to running instances alone.")
    postmulti_start_commands = string("start", "Commands that postmulti gives to enabled instances alone.")
    postmulti_stop_commands = string("stop abort drain quick-stop", "Commands that postmulti gives in reverse order.")
    sendmail_fix_line_endings = string("always", "What sendmail does with CRLF: always, strict, never.", minimum=1)
