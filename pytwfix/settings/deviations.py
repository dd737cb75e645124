"""The one list of defaults that differ from Postfix 3.11's, each with its reason."""

from __future__ import annotations

# Declared with another text.
CHANGED = {
    "mail_version": "3.11.0 is the release whose behaviour this is",
    "mail_release_date": "the date of that release",
    "default_database_type": "lmdb needs no Berkeley DB, as in Postfix builds without it",
    "default_cache_db_type": "lmdb needs no Berkeley DB, as in Postfix builds without it",
    "smtp_log_tls_feature_status": "log readers of today's distributions do not know the tls= field yet",
    "lmtp_log_tls_feature_status": "log readers of today's distributions do not know the tls= field yet",
    "smtpd_sasl_type": "there is no Cyrus SASL library here; Dovecot's protocol is spoken",
}

# Computed when asked for: the commands are where Python put them.
COMPUTED = {
    "command_directory": "the folder of the commands that belong to the running program",
    "sendmail_path": "sendmail in that folder",
    "mailq_path": "mailq in that folder",
    "newaliases_path": "newaliases in that folder",
}
