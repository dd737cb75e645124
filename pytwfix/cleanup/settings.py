"""What cleanup reads (CL-1..CL-14)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, integer, string
from pytwfix.settings.milter import MilterSettings


class CleanupSettings(CommonSettings, MilterSettings):
    """What cleanup reads."""

    always_add_missing_headers = boolean("no", "Add From:, To:, Date: and Message-ID: to every mail that lacks them.")
    always_bcc = string("", "An address that gets a copy of every mail.")
    body_checks = string("", "Tables that see each line of a body.")
    canonical_classes = string(
        "envelope_sender, envelope_recipient, header_sender, header_recipient",
        "Which addresses canonical_maps rewrite.",
        minimum=1,
    )
    cleanup_replace_stray_cr_lf = boolean("yes", "Replace a lone CR or LF inside a line by a space.")
    detect_8bit_encoding_header = boolean("yes", "Take Content-Transfer-Encoding: 8bit as a sign of 8-bit text.")
    force_mime_input_conversion = boolean("no", "Convert 8-bit text to quoted-printable on arrival.")
    full_name_encoding_charset = string("utf-8", "The character set of non-ASCII full names.", minimum=1)
    header_checks = string("", "Tables that see each header of a mail.")
    hopcount_limit = integer("50", "How many Received: headers make a mail a loop.", minimum=1)
    masquerade_classes = string("envelope_sender, header_sender, header_recipient", "Which addresses are masqueraded.")
    masquerade_domains = string("", "Domains whose subdomains are hidden.")
    masquerade_exceptions = string("", "Users whose addresses are not masqueraded.")
    message_reject_characters = string("", "Characters for which a mail is refused.")
    message_strip_characters = string("", "Characters that are removed from mail.")
    milter_header_checks = string("", "Tables that see headers which filters add.")
    mime_header_checks = string("$header_checks", "Tables that see the headers of MIME parts.")
    nested_header_checks = string("$header_checks", "Tables that see the headers of attached mails.")
    non_empty_end_of_header_action = string(
        "fix_quietly", "What to do when headers end without an empty line.", minimum=1
    )
    non_smtpd_milters = string("", "Filters for mail that did not come by SMTP.")
    queue_file_attribute_count_limit = integer("100", "How many attributes a queue file may have.", minimum=1)
    recipient_bcc_maps = string("", "Who gets a copy, by recipient.")
    recipient_canonical_classes = string(
        "envelope_recipient, header_recipient", "Which addresses recipient_canonical_maps rewrite.", minimum=1
    )
    sender_bcc_maps = string("", "Who gets a copy, by sender.")
    sender_canonical_classes = string(
        "envelope_sender, header_sender", "Which addresses sender_canonical_maps rewrite.", minimum=1
    )
    undisclosed_recipients_header = string("", "The header that a mail without recipients in headers gets.")
    virtual_alias_address_length_limit = integer(
        "1000", "How long an address from virtual_alias_maps may be.", minimum=1
    )
