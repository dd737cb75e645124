"""What the commands observe: sendmail, postdrop, postqueue, postmulti."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import string


class CommandSettings(CommonSettings):
    """What the commands observe: sendmail, postdrop, postqueue, postmulti."""

    authorized_flush_users = string("static:anyone", "")
    authorized_mailq_users = string("static:anyone", "")
    authorized_submit_users = string("static:anyone", "")
    empty_address_local_login_sender_maps_lookup_key = string("<>", "")
    local_login_sender_maps = string("static:*", "")
    non_bdb_migration_allow_root_prefixes = string("/etc /usr/local/etc", "")
    non_bdb_migration_allow_user_prefixes = string("$data_directory /var/lib/mailman /var/lib/mailman3", "")
    postmulti_control_commands = string("reload flush", "")
    postmulti_start_commands = string("start", "")
    postmulti_stop_commands = string("stop abort drain quick-stop", "")
    sendmail_fix_line_endings = string("always", "", minimum=1)
