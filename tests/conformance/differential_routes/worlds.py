"""Random routing: transports, relay hosts, address classes; and mails that ask for it (TR-1 to TR-6)."""

from __future__ import annotations

from random import Random

from tests.conformance.differential_mail.mails import Mail
from tests.kit.nameserver import Zone

MAIN = {
    "mydestination": "test.example, mail.test.example",
    "relay_domains": "relay.example",
    "virtual_mailbox_domains": "box.example",
    "virtual_mailbox_maps": "inline:{user@box.example=user/}",
    "virtual_mailbox_base": "/nowhere",
    "virtual_alias_domains": "alias.example",
    "virtual_alias_maps": "inline:{user@alias.example=user@far.example, bob@alias.example=bob}",
    "local_transport": "discard:local",
    "virtual_transport": "discard:virtual",
    "local_recipient_maps": "inline:{user=x, bob=x}",
    "alias_maps": "",
    "smtpd_recipient_restrictions": "permit_mynetworks, reject",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "parent_domain_matches_subdomains": "debug_peer_list, fast_flush_domains, relay_domains, transport_maps",
    "bounce_queue_lifetime": "1d",
    "notify_classes": "",
    "smtp_address_preference": "ipv4",
    "inet_protocols": "ipv4",
    "disable_dns_lookups": "no",
    "smtp_host_lookup": "dns",
    "smtp_dns_support_level": "enabled",
    "smtpd_error_sleep_time": "0",
    "smtpd_hard_error_limit": "1000",
    "smtpd_client_connection_count_limit": "0",
    "smtp_connection_cache_on_demand": "no",
    "enable_long_queue_ids": "no",
    "minimal_backoff_time": "4000s",
    "transport_retry_time": "4000s",
}  # fmt: skip
ZONE: Zone = {
    ("far.example", "MX"): ["10 mx.far.example."],
    ("mx.far.example", "A"): ["127.0.0.1"],
    ("sub.far.example", "A"): ["127.0.0.1"],
    ("hop.example", "A"): ["127.0.0.1"],
    ("gw.example", "MX"): ["10 hop.example.", "20 mx.far.example."],
    ("there.example", "A"): ["127.0.0.1"],
    ("relay.example", "A"): ["127.0.0.1"],
    ("nomail.example", "MX"): ["0 ."],
    ("lost.example", "MX"): ["10 gone.example."],
}
# PORT is the sink's.
_NEXT = (
    "", "[127.0.0.1]", "[127.0.0.1]:PORT", "hop.example", "[hop.example]:PORT", "gw.example", "nowhere.example",
    "nomail.example", "lost.example", "hop.example:PORT", "127.0.0.1", "[there.example]",
)  # fmt: skip
_TRANSPORTS = ("smtp", "smtp2", "relay", "")
_SPECIAL = (
    "error:go away", "error:5.1.2 go away", "error:4.2.0 not yet", "error:", "retry:4.4.3 later", "retry:no",
    "discard:", "discard:silently", "local:", "virtual:", ":", "", "DUNNO", "junk", "error",
    "discard:a b",
)  # fmt: skip
_DOMAINS = (
    "far.example", "sub.far.example", "test.example", "mail.test.example", "relay.example", "sub.relay.example",
    "box.example", "alias.example", "hop.example", "nowhere.example", "nomail.example", "other.example",
)  # fmt: skip
_LOCALS = ("user", "bob", "user+ext", "nobody", "postmaster", "a.b", "user-ext")
_SENDERS = (
    "from@there.example", "from@test.example", "", "FROM@There.Example", "from+x@there.example", "user@far.example",
    "root", "x@[127.0.0.1]",
)  # fmt: skip
_ODD = (
    "user", "user@", "user%far.example@test.example", "far.example!user", "user@FAR.Example", '"us er"@far.example',
    '"user@far.example"@test.example', "user@[127.0.0.1]", "user@127.0.0.1", "@far.example",
    "@hop.example:user@far.example",
    "user@far", "user@test", "postmaster", "double-bounce@test.example", "user+@far.example", "+ext@far.example",
    "user@.far.example", "user@far..example", "user@far.example.", "user@@far.example", '""@far.example',
    "mailer-daemon@test.example", "a!b!user@far.example", "user@[IPv6:::1]", "user@[1.2.3]", "user@-far.example",
)  # fmt: skip


def _value(random: Random) -> str:
    if random.random() < 0.4:
        return random.choice(_SPECIAL)
    return f"{random.choice(_TRANSPORTS)}:{random.choice(_NEXT)}"


def _key(random: Random) -> str:
    domain = random.choice(_DOMAINS)
    return random.choice((
        domain, domain, f".{domain}", f"{random.choice(_LOCALS)}@{domain}", f"@{domain}", "*", "user", "user@",
        domain.upper(), "<>", "[127.0.0.1]", ".example",
    ))  # fmt: skip


def _entries(keys: list[str], values: list[str]) -> str:
    """No key twice: an older Postfix does without such a table, ours without the second entry."""
    pairs = dict(zip(keys, values, strict=True)).items()
    seen = {key: value for key, value in pairs if key == key.lower() or key.lower() not in keys}
    return "".join(f"{key}\t{value}\n" for key, value in seen.items() if value)


def _senders(random: Random, values: tuple[str, ...]) -> str:
    keys = [random.choice((
        "from@there.example", "@there.example", "from@test.example", "@test.example", "<>", "from", "@far.example",
        "root", "there.example",
    )) for _ in range(random.randint(1, 4))]  # fmt: skip
    return _entries(keys, [random.choice(values) for _ in keys])


def tables(random: Random) -> dict[str, str]:
    keys = [_key(random) for _ in range(random.randint(1, 9))]
    relays = tuple(f"{one}" for one in _NEXT) + ("DUNNO", "dunno", "hop.example:PORT", "smtp:[127.0.0.1]")
    # None without a transport: for that a real one waits for ever.
    routes = tuple(f"smtp2:{one}" for one in _NEXT) + (
        "DUNNO", "smtp:", "smtp2", "error:5.7.1 not from you", "discard:", "nosuch:", "",
    )  # fmt: skip
    return {
        "transport": _entries(keys, [_value(random) for _ in keys]),
        "transport.re": f"/^bob/ {_value(random) or ':'}\n/^(.*)@other\\.example$/ smtp2:[127.0.0.1]:PORT\n",
        "sender_relay": _senders(random, relays),
        "sender_transport": _senders(random, routes),
        "relocated": "moved@test.example new@far.example\n@gone.example nobody knows\nuser@other.example elsewhere\n",
    }


_OPTIONS: dict[str, tuple[str, ...]] = {
    "transport_maps": (
        "texthash:@CONFIG@/transport", "texthash:@CONFIG@/transport", "texthash:@CONFIG@/transport",
        "regexp:@CONFIG@/transport.re, texthash:@CONFIG@/transport", "",
    ),
    "relayhost": ("", "", *_NEXT),
    "sender_dependent_relayhost_maps": ("", "texthash:@CONFIG@/sender_relay"),
    "sender_dependent_default_transport_maps": ("", "texthash:@CONFIG@/sender_transport"),
    "default_transport": (
        "smtp", "smtp", "smtp2", "smtp:hop.example", "smtp2:[127.0.0.1]:PORT", "error:5.0.0 none here",
    ),
    "relay_transport": ("relay", "relay:[127.0.0.1]:PORT", "smtp2", "relay:hop.example"),
    "local_transport": (
        "discard:local", "smtp:[127.0.0.1]:PORT", "error:5.1.1 nobody is local", "local:$myhostname",
    ),
    "virtual_transport": ("discard:virtual", "smtp2:[127.0.0.1]", "smtp2"),
    "mydestination": ("test.example, mail.test.example", "test.example", "test.example, localhost, $myhostname", ""),
    "relay_domains": ("relay.example", "relay.example, far.example", "", "relay.example, .other.example"),
    "virtual_alias_domains": ("alias.example", "alias.example, test.example", "$virtual_alias_maps"),
    "virtual_mailbox_domains": ("box.example", "box.example, relay.example", "box.example, alias.example"),
    "parent_domain_matches_subdomains": (
        "relay_domains, transport_maps", "", "relay_domains", "transport_maps", "smtpd_access_maps",
    ),
    "recipient_delimiter": ("", "+", "+-", "-"),
    "relocated_maps": ("", "texthash:@CONFIG@/relocated"),
    "append_at_myorigin": ("yes", "yes", "no"),
    "append_dot_mydomain": ("no", "yes"),
    "swap_bangpath": ("yes", "no"),
    "allow_percent_hack": ("yes", "no"),
    "resolve_dequoted_address": ("yes", "no"),
    "resolve_null_domain": ("no", "yes"),
    "resolve_numeric_domain": ("no", "yes"),
    "myorigin": ("test.example", "other.example"),
    "local_recipient_maps": ("inline:{user=x, bob=x}", "", "inline:{user@test.example=x}"),
    "relay_recipient_maps": ("", "inline:{user@relay.example=x}", "inline:{@relay.example=x}"),
    "virtual_alias_maps": (
        "inline:{user@alias.example=user@far.example, bob@alias.example=bob}",
        "inline:{@alias.example=user@relay.example, user@test.example=bob@box.example}",
        "inline:{bob={bob, user@hop.example}, user@far.example=user@sub.far.example}", "",
    ),
    "show_user_unknown_table_name": ("yes", "no"),
    "smtpd_reject_unlisted_sender": ("no", "yes"),
    "smtpd_reject_unlisted_recipient": ("yes", "no"),
    "smtp_host_lookup": ("dns", "dns", "native", "dns, native"),
    "smtp_defer_if_no_mx_address_found": ("no", "yes"),
    "smtp_dns_support_level": ("enabled", "disabled"),
    "defer_transports": ("", "", "smtp2", "relay"),
    "empty_address_relayhost_maps_lookup_key": ("<>", "from@there.example"),
    "empty_address_default_transport_maps_lookup_key": ("<>", "from@there.example"),
    "allow_untrusted_routing": ("no", "yes"),
    "allow_min_user": ("no", "yes"),
    "strict_rfc821_envelopes": ("no", "yes"),
    "smtp_fallback_relay": ("", "", "[127.0.0.1]:PORT"),
    "ignore_mx_lookup_error": ("no", "yes"),
    "soft_bounce": ("no", "no", "yes"),
    "unknown_local_recipient_reject_code": ("550", "450"),
    "disable_vrfy_command": ("no",),
    "owner_request_special": ("yes",),
    "luser_relay": ("",),
}  # fmt: skip


def settings(random: Random, port: int) -> dict[str, str]:
    """Parameters of one world; `port` is the sink's."""
    names = random.sample(sorted(_OPTIONS), random.randint(2, 14))
    chosen = {name: random.choice(_OPTIONS[name]) for name in names}
    if "transport_maps" not in chosen and random.random() < 0.8:
        chosen["transport_maps"] = "texthash:@CONFIG@/transport"
    main = {**MAIN, "smtp_tcp_port": str(port), **chosen}
    return {name: value.replace("PORT", str(port)) for name, value in main.items()}


def mail(random: Random, token: str) -> Mail:
    recipients = [_recipient(random) for _ in range(random.choice((1, 1, 1, 2)))]
    content = f"Subject: {token}\n\n{token}\n"
    return Mail(random.choice(_SENDERS), "", recipients, "", content, "EHLO")


def _recipient(random: Random) -> str:
    if random.random() < 0.3:
        return random.choice(_ODD)
    return f"{random.choice(_LOCALS)}@{random.choice(_DOMAINS)}"
