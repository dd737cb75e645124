"""Random smtpd services: each a line of master.cf with settings of its own, and the tables that they ask."""

from __future__ import annotations

from random import Random

from tests.conformance.differential_smtpd import words
from tests.kit.chatting import DOMAINS

TABLES = 8
MAIN = {
    **DOMAINS,
    "mydestination": "test.example, mail.test.example",
    "local_recipient_maps": "inline:{bob=x, dan+list=x, postmaster=x}",
    "mynetworks": "127.0.0.0/8, 192.0.2.0/28",
    "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
    "smtpd_restriction_classes": "class1, class2",
    "class1": "check_sender_access texthash:@CONFIG@/access0, permit",
    "class2": "reject_non_fqdn_sender, check_recipient_access texthash:@CONFIG@/access1",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "private/no-such-socket",
    "parent_domain_matches_subdomains": "fast_flush_domains, mynetworks, relay_domains, smtpd_access_maps",
    "max_use": "1000",
}

# Not permit_inet_interfaces: in 3.7 it looks at the address behind XCLIENT.
_GENERIC = [
    "permit",
    "reject",
    "defer",
    "defer_if_permit",
    "defer_if_reject",
    "permit_mynetworks",
    "reject_unauth_pipelining",
    "reject_plaintext_session",
    "class1",
    "class2",
    "no_such_restriction",
]
# In front of the guard against relaying they stop the service.
_OPEN = ("permit", "class1", "class2")
_CLIENT = [
    "reject_unknown_client_hostname",
    "reject_unknown_reverse_client_hostname",
    "check_client_access @T",
    "check_reverse_client_hostname_access @T",
]
_HELO = ["reject_invalid_helo_hostname", "reject_non_fqdn_helo_hostname", "check_helo_access @T"]
_SENDER = ["reject_non_fqdn_sender", "reject_unlisted_sender", "check_sender_access @T"]
_RECIPIENT = [
    "reject_non_fqdn_recipient",
    "reject_unlisted_recipient",
    "check_recipient_access @T",
    "permit_auth_destination",
    "reject_unauth_destination",
    "defer_unauth_destination",
]
_LISTS = {
    "client": _CLIENT,
    "helo": _CLIENT + _HELO,
    "sender": _CLIENT + _HELO + _SENDER,
    "recipient": _CLIENT + _HELO + _SENDER + _RECIPIENT * 2,
    "relay": _RECIPIENT,
    "data": [*_SENDER, "reject_multi_recipient_bounce", "check_sender_access @T"],
    "end_of_data": ["reject_multi_recipient_bounce", "check_client_access @T", "check_sender_access @T"],
    "etrn": [*_CLIENT, "check_etrn_access @T"],
}
_OPTIONS = {
    "smtpd_delay_reject": ("yes", "no"),
    "smtpd_helo_required": ("yes", "no"),
    "strict_rfc821_envelopes": ("yes", "no"),
    "soft_bounce": ("yes", "no"),
    "disable_vrfy_command": ("yes", "no"),
    "smtpd_recipient_limit": ("2", "3", "1000"),
    "smtpd_hard_error_limit": ("3", "5", "20"),
    "smtpd_junk_command_limit": ("2", "100"),
    "message_size_limit": ("1000", "10240000"),
    "smtpd_discard_ehlo_keywords": ("", "dsn, vrfy", "silent-discard, chunking"),
    "smtpd_noop_commands": ("", "XFOO, HELP"),
    "smtpd_null_access_lookup_key": ("<>", "null"),
    "smtpd_reject_unlisted_sender": ("yes", "no"),
    "smtpd_reject_unlisted_recipient": ("yes", "no"),
    "show_user_unknown_table_name": ("yes", "no"),
    "access_map_reject_code": ("554", "550"),
    "unknown_local_recipient_reject_code": ("550", "450"),
    "reject_code": ("554", "571"),
    "defer_code": ("450", "451"),
    "non_fqdn_reject_code": ("504", "450"),
    "unknown_client_reject_code": ("450", "550"),
    "smtpd_reject_footer": ("", r"\c. Call $client_name", "first\\nsecond $sender"),
    "parent_domain_matches_subdomains": ("", "smtpd_access_maps"),
    "smtputf8_enable": ("yes", "no"),
    "allow_untrusted_routing": ("yes", "no"),
    "smtpd_relay_before_recipient_restrictions": ("yes", "no"),
    "smtpd_log_access_permit_actions": ("", "static:all"),
}


def services(random: Random, count: int, ports: list[int]) -> list[str]:
    """Lines of master.cf."""
    return [_service(random, port) for port in ports[:count]]


def _service(random: Random, port: int) -> str:
    options = {
        f"smtpd_{name}_restrictions": _list(random, name)
        for name in random.sample(sorted(_LISTS), random.randint(1, 6))
    }
    for name in random.sample(sorted(_OPTIONS), random.randint(0, 7)):
        options[name] = random.choice(_OPTIONS[name])
    if "smtpd_relay_restrictions" in options:
        options["smtpd_relay_restrictions"] += ", reject_unauth_destination"
    out = f"127.0.0.1:{port} inet n - n - - smtpd"
    return out + "".join(f"\n    -o {{ {name} = {value} }}" for name, value in options.items())


def _list(random: Random, name: str) -> str:
    generic = [word for word in _GENERIC if name != "relay" or word not in _OPEN]
    chosen = [random.choice(generic if random.random() < 0.3 else _LISTS[name]) for _ in range(random.randint(1, 4))]
    return ", ".join(_filled(random, word) for word in chosen)


def _filled(random: Random, word: str) -> str:
    if "@T" in word:
        kind, name = random.choice((("texthash", "access"), ("texthash", "access"), ("regexp", "rules")))
        word = word.replace("@T", f"{kind}:@CONFIG@/{name}{random.randrange(TABLES)}")
    return f"warn_if_reject {word}" if random.random() < 0.1 else word


_RESULTS = [
    "OK",
    "RELAY",
    "DUNNO",
    "REJECT",
    "REJECT go away",
    "REJECT 5.1.1 nobody",
    "DEFER",
    "DEFER later",
    "DEFER_IF_PERMIT",
    "DEFER_IF_PERMIT 4.1.8 maybe",
    "DEFER_IF_REJECT perhaps",
    "550 no",
    "550 5.1.2 no such",
    "450 4.1.7 try",
    "421 bye",
    "521 5.7.0 never",
    "HOLD",
    "DISCARD",
    "WARN hmm",
    "INFO note",
    "PREPEND X-Seen: yes",
    "REDIRECT bob@test.example",
    "BCC bob@test.example",
    "FILTER discard:x",
    "FILTER nonsense",
    "123",
    "reject",
    "permit",
    "reject_unauth_destination",
    "reject_non_fqdn_sender, permit",
    "class1",
    "no_such_word",
    "554",
    "permit_mynetworks, reject",
    "warn_if_reject reject",
    "REDIRECT nobody",
    "PREPEND nonsense",
    "412 4.7.1 x",
    "550 4.7.1 x",
    "450 5.7.1 x",
    "2.5.1 x",
]


def tables(random: Random) -> dict[str, str]:
    """Files by name."""
    out = {}
    for number in range(TABLES):
        # Keys that differ in case alone make a texthash table unusable for 3.7.
        keys = {key.lower(): key for key in random.sample(words.KEYS, random.randint(3, 10))}.values()
        out[f"access{number}"] = "".join(f"{key} {random.choice(_RESULTS)}\n" for key in keys)
        patterns = random.sample(words.PATTERNS, random.randint(1, 4))
        out[f"rules{number}"] = "".join(f"{pattern} {random.choice(_RESULTS)}\n" for pattern in patterns)
    return out
