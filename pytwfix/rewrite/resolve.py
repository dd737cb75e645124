"""Class, transport, next hop and final form of a recipient (INVENTORY TR-3, TR-5, TR-6, AD-1).

First everything that only says "here" is taken off the address: @ourdomain, again and again, with what it hid
(`user%there@here` is for `there`). Then the domain's class gives transport and next hop, transport_maps may change
them, and relocated_maps may turn the whole into an error. Addresses are bytes in internal form. TableError passes
through.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytwfix.contracts.rewriting import (
    CLASS_ALIAS,
    CLASS_DEFAULT,
    CLASS_LOCAL,
    CLASS_RELAY,
    CLASS_VIRTUAL,
    ERROR,
    ROUTED,
    Resolved,
)
from pytwfix.mail.hostnames import literal_address, valid_ipv4, valid_mail_domain
from pytwfix.mail.quoting import quoted_local
from pytwfix.rewrite import log
from pytwfix.rewrite.rewrite import complete
from pytwfix.rewrite.transport import apply, split_transport
from pytwfix.tables.addresses import TRANSPORT, Found, find_address
from pytwfix.tables.matchlists import StringList

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog
    from pytwfix.rewrite.configuration import Configuration, Routes
    from pytwfix.tables.maps import Maps

BAD_ADDRESS = "5.1.3 bad address syntax"
_ROUTE = re.compile(rb"[@%!]")
_DSN = re.compile(r"[45]\.\d{1,3}\.\d{1,3}(\s|\Z)")


async def resolve(config: Configuration, routes: Routes, logger: ILog, sender: bytes, address: bytes) -> Resolved:
    """Where `address` goes when `sender` sends to it."""
    local, domain, known = await _strip(config, address)
    if domain is None:
        return Resolved("error", BAD_ADDRESS, address, ERROR | CLASS_DEFAULT)
    if not local and known:
        local = config.empty_recipient
    recipient = local + b"@" + domain
    if not valid_mail_domain(domain, True) or (local[:1] == b"-" and not config.min_user):
        return Resolved("error", BAD_ADDRESS, recipient, ERROR | CLASS_DEFAULT)
    kind = await _class(config, logger, domain, known)
    transport, nexthop = await _route(config, routes, logger, kind, sender, domain)
    name = domain.decode("utf-8", "replace")
    if kind != CLASS_ALIAS and routes.transport_maps:
        found = await find_address(
            routes.transport_maps,
            recipient,
            strategy=TRANSPORT,
            delimiter=config.delimiter,
            subdomains=config.subdomains,
        )
        if found is not None:
            transport, nexthop = apply(_text(found), transport, nexthop, name)
    if config.relocated:
        found = await find_address(config.relocated, recipient, delimiter=config.delimiter, local=lambda _: known)
        if found is not None:
            transport, nexthop = "error", _moved(config, _text(found))
    return Resolved(transport, nexthop, recipient, kind | (ROUTED if _ROUTE.search(local) else 0))


async def _strip(config: Configuration, address: bytes) -> tuple[bytes, bytes | None, bool]:
    """(local part, domain, the domain is ours) with all that only says "here" taken off; None: no domain at all."""
    while True:
        local, at, domain = address.rpartition(b"@")
        if not at:
            own = await is_local(config, config.hostname)
            return address or config.empty_recipient, config.hostname, own
        if domain[-1:] == b"." and domain[-2:-1] not in (b".", b""):
            domain = domain[:-1]
        if config.numeric and valid_ipv4(domain):
            domain = b"[" + domain + b"]"
        hidden = _hides_another(config, local)
        if not domain:
            if not hidden and not config.null_domain and local:
                return local, None, False
        elif not await is_local(config, domain):
            return local, domain, False
        elif not hidden:
            return local, domain, True
        address = complete(config.incomplete, local) if hidden else local


def _hides_another(config: Configuration, local: bytes) -> bool:
    """Whether a local part names another destination, in a form that we take as such."""
    if not config.dequoted and quoted_local(local) != local:
        return False
    return b"@" in local or complete(config.incomplete, local) != local


async def is_local(config: Configuration, domain: bytes) -> bool:
    """mydestination, or an address of ours as a literal."""
    if domain[:1] == b"[":
        return literal_address(domain) in config.literals
    return await _listed(config.destinations, domain)


async def _listed(names: StringList, domain: bytes) -> bool:
    now = names.match_now(domain)
    return await names.match(domain) if now is None else now


async def _class(config: Configuration, logger: ILog, domain: bytes, known: bool) -> int:
    """The first of local, virtual alias, virtual mailbox, relay that has the domain; a second one is a mistake."""
    if domain[:1] == b"[":
        return CLASS_LOCAL if known else CLASS_DEFAULT
    kind, title = (CLASS_LOCAL, "mydestination") if known else (0, "")
    lists = (
        (CLASS_ALIAS, config.alias_domains, "virtual_alias_domains"),
        (CLASS_VIRTUAL, config.mailbox_domains, "virtual_mailbox_domains"),
        (CLASS_RELAY, config.relay_domains, "relay_domains"),
    )
    for candidate, names, name in lists:
        if candidate == CLASS_RELAY and known:
            continue  # relay_domains = $mydestination was the default
        if await _listed(names, domain):
            if kind:
                log.two_classes(logger, domain.decode("utf-8", "replace"), title, name)
            else:
                kind, title = candidate, name
    return kind or CLASS_DEFAULT


async def _route(
    config: Configuration, routes: Routes, logger: ILog, kind: int, sender: bytes, domain: bytes
) -> tuple[str, str]:
    """What the class says, before transport_maps."""
    name = domain.decode("utf-8", "replace")
    if kind == CLASS_ALIAS:
        return "error", config.unknown_alias
    if kind == CLASS_LOCAL:
        return routes.local[0], routes.local[1] or name
    if kind == CLASS_VIRTUAL:
        return routes.virtual[0], routes.virtual[1] or name
    if kind == CLASS_RELAY:
        transport, nexthop = routes.relay
    else:
        transport, nexthop = await _default(config, routes, logger, sender)
    return transport, nexthop or await _relayhost(config, routes, sender) or name


async def _default(config: Configuration, routes: Routes, logger: ILog, sender: bytes) -> tuple[str, str]:
    maps = routes.sender_transports
    if maps:
        found = await _by_sender(maps, sender or config.null_transport_key, config)
        if found:
            transport, nexthop = split_transport(found)
            if transport:
                return transport, nexthop
            log.null_transport(logger, maps.title)
    return routes.default


async def _relayhost(config: Configuration, routes: Routes, sender: bytes) -> str:
    if routes.sender_relayhosts:
        found = await _by_sender(routes.sender_relayhosts, sender or config.null_relayhost_key, config)
        if found:
            return found
    return routes.relayhost


async def _by_sender(maps: Maps, sender: bytes, config: Configuration) -> str:
    """The full address, the local part alone where the domain is ours, then @domain; DUNNO says nothing."""

    async def ours(domain: bytes) -> bool:
        return domain.lower() == config.myorigin or await is_local(config, domain)

    found = await find_address(maps, sender, delimiter=config.delimiter, local=ours)
    text = "" if found is None else _text(found)
    return "" if text.upper() == "DUNNO" else text


def _text(found: Found) -> str:
    return found.value.decode("utf-8", "replace")


def _moved(config: Configuration, text: str) -> str:
    """relocated_maps: the new address, or with relocated_prefix_enable = no a whole reply."""
    if config.relocated_prefix:
        return f"5.1.6 User has moved to {text}"
    return text if _DSN.match(text) else f"5.1.6 {text}"
