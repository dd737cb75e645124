"""Words in values: restrictions, networks, mail filters, next hops and transports (SD-31, DL-1, MI-1, TR-4).

Postfix comes to such a word when a mail does, and then defers all mail; here they are read when the system starts.
What is asked of a table, or depends on a mail, cannot be seen.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd.catalogue import RESTRICTIONS
from pytwfix.accept.smtpd.restrictions import REMOVED, split
from pytwfix.basics.macros import MacroError
from pytwfix.deliver.smtp.nexthop import parse_destination, split_nexthop
from pytwfix.master.plan import program
from pytwfix.net.milter.filters import parse_filters
from pytwfix.rewrite.transport import split_transport
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.milter import MilterSettings
from pytwfix.tables.matchlists import is_network
from pytwfix.tables.names import is_table, split_list
from pytwfix.tables.networks import parse_network
from pytwfix.tables.registry import types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytwfix.settings.mastercf import Service
    from pytwfix.settings.snapshot import Snapshot

RESTRICTION_LISTS = re.compile(r"smtpd_(client|helo|sender|relay|recipient|data|end_of_data|etrn)_restrictions")
CLIENT_LISTS = frozenset((
    "mynetworks", "smtpd_client_event_limit_exceptions", "smtpd_authorized_xclient_hosts",
    "smtpd_authorized_xforward_hosts", "smtpd_authorized_verp_clients", "smtpd_forbid_bare_newline_exclusions",
    "permit_mx_backup_networks", "debug_peer_list", "smtpd_sasl_exceptions_networks", "qmqpd_authorized_clients",
))  # fmt: skip
FILTERS = frozenset(("smtpd_milters", "non_smtpd_milters"))
NEXTHOPS = frozenset(("relayhost", "smtp_fallback_relay", "fallback_relay"))
TRANSPORTS = re.compile(
    r"(address_verify_)?(default|local|relay|virtual)_transport|(mailbox|fallback)_transport|content_filter"
)


def misread(name: str, value: str, view: Snapshot, services: dict[str, Service]) -> Iterator[str]:
    """What in `value`, with its macros expanded, means nothing; each text begins with `name`.

    :param services: those that a mail may be handed to, by name.
    """
    if RESTRICTION_LISTS.fullmatch(name) or name in classes(view):
        found = _restrictions(value, view)
    elif name in CLIENT_LISTS:
        found = _clients(value)
    elif name in FILTERS:
        found = _filters(value, view)
    elif name in NEXTHOPS:
        found = _nexthops(value)
    elif TRANSPORTS.fullmatch(name):
        found = _transport(value, services)
    else:
        return
    for text in found:
        yield f"{name}: {text}"


def classes(view: Snapshot) -> list[str]:
    """The names in smtpd_restriction_classes; none when its value is wrong."""
    try:
        return split(view.expand(view.get("smtpd_restriction_classes") or ""))
    except (MacroError, SettingsError):
        return []


def _restrictions(value: str, view: Snapshot) -> Iterator[str]:
    words = iter(split(value))
    for word in words:
        name = word.lower()
        if name == "warn_if_reject" or (":" in word and not name.startswith("check_")):
            continue
        entry = RESTRICTIONS.get(name)
        if entry is not None:
            if entry.argument and next(words, None) is None:
                yield f"{word} has nothing behind it; specify what it is to look at"
        elif name in REMOVED:
            yield f'{word} has been removed in Postfix 3.9; specify "{REMOVED[name]}"'
        elif word not in classes(view):
            yield f'unknown smtpd restriction: "{word}"{_meant(name)}'


def _meant(name: str) -> str:
    close = get_close_matches(name, RESTRICTIONS, 1)
    return f"; specify {close[0]}?" if close else "; specify a restriction, a class or type:table"


def _clients(value: str) -> Iterator[str]:
    for word in split_list(value):
        word = word.lstrip("! ")
        if is_table(word) and word.partition(":")[0] not in table_types():
            yield f'unsupported dictionary type: "{word.partition(":")[0]}"; an IPv6 address is written in [ ]'
        if word.startswith("/") or is_table(word) or not is_network(word):
            continue
        try:
            parse_network(word)
        except ValueError as error:
            yield f"{error}; specify an address, network/bits, a name, /file or type:table"


@cache
def table_types() -> frozenset[str]:
    """Looked for once: what packages have installed takes milliseconds to find."""
    return frozenset(types())


def _filters(value: str, view: Snapshot) -> Iterator[str]:
    try:
        parse_filters(value, view.group(MilterSettings))
    except SettingsError as error:
        yield f"{error}; specify inet:host:port or unix:path"


def _nexthops(value: str) -> Iterator[str]:
    for hop in split_nexthop(value):
        try:
            parse_destination(hop, "", False)
        except ValueError as error:
            yield f"{error}; specify [host]:port, or host:port for its MX hosts"


def _transport(value: str, services: dict[str, Service]) -> Iterator[str]:
    transport, nexthop = split_transport(value)
    service = services.get(transport)
    if transport and service is None:
        yield f'there is no service "{transport}" in master.cf; specify transport:nexthop'
    elif service is not None and program(service) == "smtp":
        yield from _nexthops(nexthop)
