"""Limits and rules for the text of a mail, and what notices look like."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, integer, long_, string, time


class ContentSettings(Group):
    """Limits and rules for the text of a mail, and what notices look like."""

    backwards_bounce_logfile_compatibility = boolean("yes", "")
    body_checks_size_limit = integer("51200", "")
    bounce_notice_recipient = string("postmaster", "", minimum=1)
    bounce_size_limit = integer("50000", "", minimum=1)
    content_filter = string("", "")
    default_delivery_status_filter = string("", "")
    delay_logging_resolution_limit = integer("2", "", maximum=6)
    delay_warning_time = time("0h", "")
    deliver_lock_attempts = integer("20", "", minimum=1)
    deliver_lock_delay = time("1s", "", minimum=1)
    disable_mime_input_processing = boolean("no", "")
    disable_mime_output_conversion = boolean("no", "")
    dont_remove = integer("0", "")
    duplicate_filter_limit = integer("1000", "")
    enable_long_queue_ids = boolean("no", "")
    error_notice_recipient = string("postmaster", "", minimum=1)
    header_address_token_limit = integer("10240", "", minimum=1)
    header_from_format = string("standard", "", minimum=1)
    header_size_limit = integer("102400", "", minimum=1)
    info_log_address_format = string("external", "", minimum=1)
    internal_mail_filter_classes = string("", "")
    line_length_limit = integer("2048", "", minimum=512)
    maximal_queue_lifetime = time("5d", "", maximum=8640000)
    message_drop_headers = string("bcc, content-length, resent-bcc, return-path", "")
    message_size_limit = long_("10240000", "")
    mime_boundary_length_limit = integer("2048", "", minimum=1)
    mime_nesting_limit = integer("100", "", minimum=1)
    notify_classes = string("resource, software", "")
    receive_override_options = string("", "")
    requiretls_enable = boolean("yes", "")
    requiretls_esmtp_header = boolean("yes", "")
    soft_bounce = boolean("no", "")
    stale_lock_time = time("500s", "", minimum=1)
    strict_7bit_headers = boolean("no", "")
    strict_8bitmime = boolean("no", "")
    strict_8bitmime_body = boolean("no", "")
    strict_mailbox_ownership = boolean("yes", "")
    strict_mime_encoding_domain = boolean("no", "")
    tls_required_enable = boolean("yes", "")
