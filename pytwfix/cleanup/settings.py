"""What cleanup reads (CL-1..CL-14)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, integer, string
from pytwfix.settings.milter import MilterSettings


class CleanupSettings(CommonSettings, MilterSettings):
    """What cleanup reads."""

    always_add_missing_headers = boolean("no", "")
    always_bcc = string("", "")
    body_checks = string("", "")
    canonical_classes = string("envelope_sender, envelope_recipient, header_sender, header_recipient", "", minimum=1)
    cleanup_replace_stray_cr_lf = boolean("yes", "")
    detect_8bit_encoding_header = boolean("yes", "")
    force_mime_input_conversion = boolean("no", "")
    full_name_encoding_charset = string("utf-8", "", minimum=1)
    header_checks = string("", "")
    hopcount_limit = integer("50", "", minimum=1)
    masquerade_classes = string("envelope_sender, header_sender, header_recipient", "")
    masquerade_domains = string("", "")
    masquerade_exceptions = string("", "")
    message_reject_characters = string("", "")
    message_strip_characters = string("", "")
    milter_header_checks = string("", "")
    mime_header_checks = string("$header_checks", "")
    nested_header_checks = string("$header_checks", "")
    non_empty_end_of_header_action = string("fix_quietly", "", minimum=1)
    non_smtpd_milters = string("", "")
    queue_file_attribute_count_limit = integer("100", "", minimum=1)
    recipient_bcc_maps = string("", "")
    recipient_canonical_classes = string("envelope_recipient, header_recipient", "", minimum=1)
    sender_bcc_maps = string("", "")
    sender_canonical_classes = string("envelope_sender, header_sender", "", minimum=1)
    undisclosed_recipients_header = string("", "")
    virtual_alias_address_length_limit = integer("1000", "", minimum=1)
