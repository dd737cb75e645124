"""Limits and rules for the text of a mail, and what notices look like."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, integer, long_, string, time


class ContentSettings(Group):
    """Limits and rules for the text of a mail, and what notices look like."""

    backwards_bounce_logfile_compatibility = boolean("yes", "Write bounce logs that old versions understand too.")
    body_checks_size_limit = integer("51200", "How many bytes of each MIME part body_checks see.")
    bounce_notice_recipient = string("postmaster", "Who gets the postmaster's copies of bounced mail.", minimum=1)
    bounce_size_limit = integer("50000", "How many bytes of the mail a notice quotes.", minimum=1)
    content_filter = string("", "Where mail goes for inspection after it was queued.")
    default_delivery_status_filter = string("", "Tables that change the status of a delivery.")
    delay_logging_resolution_limit = integer("2", "How many digits below a second `delay=` has.", maximum=6)
    delay_warning_time = time("0h", "After how long a sender is warned; 0 for never.")
    deliver_lock_attempts = integer("20", "How often to try for a lock of a mailbox.", minimum=1)
    deliver_lock_delay = time("1s", "How long between such tries.", minimum=1)
    disable_mime_input_processing = boolean("no", "Do not look at the MIME structure of incoming mail.")
    disable_mime_output_conversion = boolean("no", "Never convert 8-bit text for a server without 8BITMIME.")
    dont_remove = integer("0", "Keep delivered mail in the queue directory `saved`.")
    duplicate_filter_limit = integer("1000", "How many addresses are remembered to find repeated recipients.")
    enable_long_queue_ids = boolean("no", "Make queue IDs that are never used twice.")
    error_notice_recipient = string("postmaster", "Who gets the postmaster's copies of protocol errors.", minimum=1)
    header_address_token_limit = integer("10240", "How many tokens of an address header are looked at.", minimum=1)
    header_from_format = string(
        "standard", "Whether From: with a name is `Name <address>` or `address (Name)`.", minimum=1
    )
    header_size_limit = integer("102400", "How long one header may be; the rest is cut off.", minimum=1)
    info_log_address_format = string(
        "external", "How addresses look in the log: quoted (external) or not (internal).", minimum=1
    )
    internal_mail_filter_classes = string("", "Own mail that filters and content checks see: bounce, notify.")
    line_length_limit = integer("2048", "How long a line in memory may be; longer ones come in pieces.", minimum=512)
    maximal_queue_lifetime = time("5d", "How long a mail is tried before it bounces.", maximum=8640000)
    message_drop_headers = string(
        "bcc, content-length, resent-bcc, return-path", "Headers that are removed on arrival."
    )
    message_size_limit = long_("10240000", "How many bytes a mail may have, envelope included; 0 for no limit.")
    mime_boundary_length_limit = integer("2048", "How much of a MIME boundary counts.", minimum=1)
    mime_nesting_limit = integer("100", "How deep MIME parts may be nested before they are taken as text.", minimum=1)
    notify_classes = string(
        "resource, software",
        "What the postmaster is told about: bounce, 2bounce, data, delay, policy, protocol, resource, software.",
    )
    receive_override_options = string(
        "", "Steps that are left out on arrival, such as no_milters or no_address_mappings."
    )
    requiretls_enable = boolean("yes", "Offer and honour REQUIRETLS.")
    requiretls_esmtp_header = boolean("yes", "Mark mail that asked for REQUIRETLS by a header.")
    soft_bounce = boolean("no", "Make every permanent failure a temporary one.")
    stale_lock_time = time("500s", "When a lock file is taken as left over.", minimum=1)
    strict_7bit_headers = boolean("no", "Refuse headers with 8-bit text.")
    strict_8bitmime = boolean("no", "Both strict_7bit_headers and strict_8bitmime_body.")
    strict_8bitmime_body = boolean("no", "Refuse 8-bit bodies that do not say so.")
    strict_mailbox_ownership = boolean("yes", "Insist that a mailbox is the recipient's own.")
    strict_mime_encoding_domain = boolean("no", "Refuse encoded multipart and message parts.")
    tls_required_enable = boolean("yes", "Honour the header TLS-Required: no.")
