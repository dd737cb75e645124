"""Where the files are, who owns them, and which instances there are."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, integer, string


class InstallationSettings(Group):
    """Where the files are, who owns them, and which instances there are."""

    alternate_config_directories = string("", "Directories besides the default one that set-gid commands accept by -c.")
    command_directory = string("/usr/sbin", "Where the commands are.", minimum=1)
    config_directory = string("/etc/postfix", "Where main.cf and master.cf are.", minimum=1)
    daemon_directory = string("/usr/libexec/postfix", "Where the daemon programs are.", minimum=1)
    data_directory = string("/var/lib/postfix", "Files that the mail owner may write: caches, locks.", minimum=1)
    debugger_command = string("", "The command to run when a daemon has -D.", minimum=1)
    default_privs = string("nobody", "Whose rights local uses for commands and files that no user owns.", minimum=1)
    hash_queue_depth = integer("1", "How many levels of subdirectories a hashed queue has.", minimum=1)
    hash_queue_names = string("deferred, defer", "Queues that have subdirectories.", minimum=1)
    html_directory = string("no", "Where HTML documentation is.", minimum=1)
    mail_owner = string("postfix", "The user whose files the queue is.", minimum=1)
    mail_spool_directory = string("/var/mail", "Where users' mailboxes are; with a slash at the end maildirs.")
    maillog_file = string("", "A log file in place of syslog, or /dev/stdout.")
    maillog_file_compressor = string("gzip", "What compresses a rotated log file.", minimum=1)
    maillog_file_permissions = string("0600", "The mode of a new log file.", minimum=1)
    maillog_file_prefixes = string("/var, /dev/stdout", "Where a log file may be.", minimum=1)
    maillog_file_rotate_suffix = string("%Y%m%d-%H%M%S", "The strftime suffix of a rotated log file.", minimum=1)
    mailq_path = string("/usr/bin/mailq", "Where the mailq command is.", minimum=1)
    manpage_directory = string("/usr/local/man", "Where the manual is.", minimum=1)
    meta_directory = string("/etc/postfix", "Where lists of installed files are.", minimum=1)
    multi_instance_directories = string("", "Configuration directories of the other instances.")
    multi_instance_enable = boolean("no", "Whether this instance takes part in start and stop of all.")
    multi_instance_group = string("", "The group of instances that this one belongs to.")
    multi_instance_name = string("", "This instance's own name.")
    multi_instance_wrapper = string("", "The command that handles all instances.")
    newaliases_path = string("/usr/bin/newaliases", "Where the newaliases command is.", minimum=1)
    openssl_path = string("openssl", "Where the openssl command is.", minimum=1)
    process_id_directory = string("pid", "Where lock files are, below the queue directory.", minimum=1)
    queue_directory = string("/var/spool/postfix", "Where the queue is.", minimum=1)
    readme_directory = string("no", "Where README files are.", minimum=1)
    sample_directory = string("/etc/postfix", "Where example files are.", minimum=1)
    sendmail_path = string("/usr/sbin/sendmail", "Where the sendmail command is.", minimum=1)
    setgid_group = string("postdrop", "The group that may submit mail and ask for the queue.", minimum=1)
    shlib_directory = string("no", "Where shared libraries would be.", minimum=1)
