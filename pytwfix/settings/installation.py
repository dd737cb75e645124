"""Where the files are, who owns them, and which instances there are."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, integer, string


class InstallationSettings(Group):
    """Where the files are, who owns them, and which instances there are."""

    alternate_config_directories = string("", "")
    command_directory = string("/usr/sbin", "", minimum=1)
    config_directory = string("/etc/postfix", "", minimum=1)
    daemon_directory = string("/usr/libexec/postfix", "", minimum=1)
    data_directory = string("/var/lib/postfix", "", minimum=1)
    debugger_command = string("", "", minimum=1)
    default_privs = string("nobody", "", minimum=1)
    hash_queue_depth = integer("1", "", minimum=1)
    hash_queue_names = string("deferred, defer", "", minimum=1)
    html_directory = string("no", "", minimum=1)
    mail_owner = string("postfix", "", minimum=1)
    mail_spool_directory = string("/var/mail", "")
    maillog_file = string("", "")
    maillog_file_compressor = string("gzip", "", minimum=1)
    maillog_file_permissions = string("0600", "", minimum=1)
    maillog_file_prefixes = string("/var, /dev/stdout", "", minimum=1)
    maillog_file_rotate_suffix = string("%Y%m%d-%H%M%S", "", minimum=1)
    mailq_path = string("/usr/bin/mailq", "", minimum=1)
    manpage_directory = string("/usr/local/man", "", minimum=1)
    meta_directory = string("/etc/postfix", "", minimum=1)
    multi_instance_directories = string("", "")
    multi_instance_enable = boolean("no", "")
    multi_instance_group = string("", "")
    multi_instance_name = string("", "")
    multi_instance_wrapper = string("", "")
    newaliases_path = string("/usr/bin/newaliases", "", minimum=1)
    openssl_path = string("openssl", "", minimum=1)
    process_id_directory = string("pid", "", minimum=1)
    queue_directory = string("/var/spool/postfix", "", minimum=1)
    readme_directory = string("no", "", minimum=1)
    sample_directory = string("/etc/postfix", "", minimum=1)
    sendmail_path = string("/usr/sbin/sendmail", "", minimum=1)
    setgid_group = string("postdrop", "", minimum=1)
    shlib_directory = string("no", "", minimum=1)
