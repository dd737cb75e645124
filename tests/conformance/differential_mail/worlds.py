"""Random settings of address rewriting, and services whose cleanup each has settings of its own (CL-*, CA-*, TR-*)."""

from __future__ import annotations

from random import Random

Options = dict[str, tuple[str, ...]]

MAIN = {
    "mydestination": "test.example, mail.test.example",
    "local_recipient_maps": "",
    "relay_domains": "relay.example",
    "virtual_mailbox_domains": "box.example",
    "virtual_alias_domains": "alias.example",
    "local_transport": "smtp", "relay_transport": "smtp", "virtual_transport": "smtp",
    "smtp_generic_maps": "",
    "local_header_rewrite_clients": "static:all",
    "smtpd_recipient_restrictions": "permit_mynetworks, reject",
    "bounce_queue_lifetime": "1d",
    "notify_classes": "",
}  # fmt: skip
# trivial-rewrite has one setting for all services.
REWRITING: Options = {
    "append_at_myorigin": ("yes", "no"),
    "append_dot_mydomain": ("yes", "no"),
    "swap_bangpath": ("yes", "no"),
    "allow_percent_hack": ("yes", "no"),
    "recipient_delimiter": ("", "+", "-", "+-"),
    "resolve_dequoted_address": ("yes", "no"),
    "resolve_null_domain": ("yes", "no"),
    "resolve_numeric_domain": ("yes", "no"),
    "myorigin": ("test.example", "$mydomain", "other.example"),
    "relocated_maps": ("", "inline:{moved@test.example=new@far.example}"),
    "transport_maps": ("", "inline:{bad.example=error:no such place, far.example=:, {user@far.example=smtp:}}"),
    "smtp_generic_maps": ("", "inline:{@test.example=@public.example}", "regexp:@CONFIG@/generic"),
    "propagate_unmatched_extensions": ("canonical, virtual", "", "canonical, virtual, generic, include"),
    "smtp_address_preference": ("ipv4",),
    "disable_mime_output_conversion": ("no", "yes"),
    "smtp_quote_rfc821_envelope": ("yes", "no"),
    "smtp_line_length_limit": ("998", "80", "0"),
    "owner_request_special": ("yes", "no"),
}
_MAPS = (
    "", "inline:{user@far.example=new@test.example}", "inline:{@far.example=all@relay.example}",
    "inline:{user=plain, bob=user}", "inline:{user@test.example=user+ext@test.example}", "regexp:@CONFIG@/canonical",
    "inline:{a@test.example=b@test.example, b@test.example=a@test.example}",
    "inline:{user+x@test.example=ext@far.example, user@test.example=noext@far.example}",
)  # fmt: skip
CLEANUP: Options = {
    "canonical_maps": _MAPS,
    "sender_canonical_maps": _MAPS,
    "recipient_canonical_maps": _MAPS,
    "canonical_classes": (
        "envelope_sender, envelope_recipient, header_sender, header_recipient", "envelope_sender",
        "header_sender header_recipient", "envelope_recipient, header_recipient",
    ),
    "masquerade_domains": ("", "test.example", "!mail.test.example test.example", "example",
    "far.example, box.example"),
    "masquerade_classes": (
        "envelope_sender, header_sender, header_recipient", "envelope_recipient", "header_sender, envelope_recipient",
    ),
    "masquerade_exceptions": ("", "root, user", "inline:{bob=x}"),
    "virtual_alias_maps": (
        "", "inline:{user@alias.example={one@far.example, two@test.example}}",
        "inline:{{@alias.example=@far.example}}",
        "inline:{bob=alice, alice={alice, carol@far.example}}", "inline:{loop@test.example=loop2, loop2=loop}",
        "inline:{user@test.example={a@x.example, a@x.example, b@y.example}}, regexp:@CONFIG@/virtual",
    ),
    "virtual_alias_expansion_limit": ("1000", "2"),
    "virtual_alias_recursion_limit": ("1000", "3"),
    "virtual_alias_address_length_limit": ("1000", "20"),
    "always_bcc": ("", "archive@far.example", "archive"),
    "sender_bcc_maps": ("", "inline:{from@there.example=sbcc@far.example}", "static:sbcc"),
    "recipient_bcc_maps": ("", "inline:{user@far.example=rbcc@far.example, @test.example=rbcc2}"),
    "enable_original_recipient": ("yes", "no"),
    "duplicate_filter_limit": ("1000", "1"),
    "header_size_limit": ("102400", "200"),
    "header_address_token_limit": ("10240", "60"),
    "always_add_missing_headers": ("no", "yes"),
    "message_drop_headers": ("bcc, content-length, resent-bcc, return-path", "", "subject, x-two"),
    "undisclosed_recipients_header": ("To: undisclosed-recipients:;", ""),
    "header_checks": ("", "regexp:@CONFIG@/headers0", "regexp:@CONFIG@/headers1", "pcre:@CONFIG@/headers2"),
    "mime_header_checks": ("$header_checks", "regexp:@CONFIG@/headers1", ""),
    "nested_header_checks": ("$header_checks", "regexp:@CONFIG@/headers0"),
    "body_checks": ("", "regexp:@CONFIG@/bodies0", "pcre:@CONFIG@/bodies1"),
    "body_checks_size_limit": ("51200", "100"),
    "disable_mime_input_processing": ("no", "yes"),
    "mime_boundary_length_limit": ("2048", "5"),
    "mime_nesting_limit": ("100", "1"),
    "strict_7bit_headers": ("no", "yes"),
    "strict_8bitmime": ("no", "yes"),
    "strict_8bitmime_body": ("no", "yes"),
    "strict_mime_encoding_domain": ("no", "yes"),
    "detect_8bit_encoding_header": ("yes", "no"),

    "cleanup_replace_stray_cr_lf": ("yes",),
    "message_strip_characters": ("", r"\0", "Q&"),
    "message_reject_characters": ("", r"\7"),
    "remote_header_rewrite_domain": ("", "remote.invalid"),
    "empty_address_default_transport_maps_lookup_key": ("<>",),
    "content_filter": ("", "", "", "smtp:"),
    "smtputf8_autodetect_classes": ("sendmail, verify", "all"),
}  # fmt: skip
SMTPD: Options = {
    "local_header_rewrite_clients": ("static:all", "", "permit_mynetworks"),
    "remote_header_rewrite_domain": ("", "remote.invalid"),
    "receive_override_options": (
        "", "", "no_address_mappings", "no_header_body_checks", "no_header_body_checks, no_address_mappings",
    ),
    "hopcount_limit": ("50", "3"),
    "smtpd_sasl_authenticated_header": ("no", "yes"),
    "smtputf8_enable": ("yes", "no"),
    "message_size_limit": ("10240000", "900"),

}  # fmt: skip
TABLES = {
    "generic": "/^(.*)@test\\.example$/ ${1}@gen.example\n/^bob/ robert@far.example\n",
    "canonical": "/^(.*)\\+(.*)@(.*)$/ ${2}.${1}@${3}\n/^carol@/ karl@far.example\n",
    "virtual": "/^many@/ m1@far.example, m2@far.example m3\n/^(.*)@alias\\.example$/ $1@box.example\n",
    "headers0": (
        "/^Subject:.*reject/ REJECT not that subject\n/^Subject:.*discard/ DISCARD quietly\n/^X-One:/ IGNORE\n"
        "/^Subject:(.*)$/ REPLACE X-Subject:$1\n/^From:/ WARN from seen\n/^To:.*bcc/ BCC hb@far.example\n"
        "/^Content-Type: text/ PREPEND X-Pre: text\n/^Cc:/ INFO\n"
    ),
    "headers1": (
        "/^X-Two:/ STRIP two goes\n/^Subject:.*redirect/ REDIRECT red@far.example\n/^Content-.*html/ REJECT\n"
        "/^Subject:/ PREPEND X-Prepended: one\n/^Received:/ IGNORE\n/^To:/ DUNNO\n/^Message-Id:/ REPLACE X-Id: gone\n"
        "/^Date:/ REJECT 5.7.9 no dates\n"
    ),
    "headers2": "/^Subject: (\\w+) /i WARN word $1\n/^reply-to:/ REPLACE Reply-To: <user>\n/boundary/ INFO has parts\n",
    "bodies0": (
        "/^reject this/ REJECT body bad\n/^secret/ IGNORE\n/^replace (.*)/ REPLACE replaced $1\n/^warn/ WARN warned\n"
        "/^prep/ PREPEND before\n/^drop/ DISCARD dropped\n"
    ),
    "bodies1": "/^([a-z]+) token/ INFO saw $1\n/^x{30}/ REPLACE short\n/^Subject:/ WARN nested subject\n",
}  # fmt: skip


def chosen(random: Random, options: Options, count: int) -> dict[str, str]:
    """So many of them with a random value each."""
    names = random.sample(sorted(options), min(count, len(options)))
    return {name: random.choice(options[name]) for name in names}


def services(random: Random, ports: list[int]) -> list[str]:
    """Lines of master.cf: an smtpd on each port, and a cleanup for it."""
    lines = []
    for number, port in enumerate(ports):
        smtpd = {"cleanup_service_name": f"cleanup{number}", **chosen(random, SMTPD, random.randint(0, 3))}
        lines.append(f"127.0.0.1:{port} inet n - n - - smtpd{_words(smtpd)}")
        own = chosen(random, CLEANUP, random.randint(0, 9))
        lines.append(f"cleanup{number} unix n - n - 0 cleanup{_words(own)}")
    return lines


def _words(options: dict[str, str]) -> str:
    return "".join(f"\n    -o {{ {name} = {value} }}" for name, value in options.items())
