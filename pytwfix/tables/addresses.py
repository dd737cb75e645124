"""In which order parts of an address are looked up (LK-3 to LK-7, SD-35, CA-4).

Addresses are bytes in internal form. A search asks for each key in external (quoted) form first and,
where that differs, in internal form too. Parts of an address are asked of FIXED tables only (LK-2). TableError passes
through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

from twisted.internet.defer import Deferred, fail

from pytwfix.basics.tasks import fired, start
from pytwfix.contracts.tables import TableError
from pytwfix.mail.quoting import external_form as external_form
from pytwfix.mail.quoting import quoted_local as quoted_local
from pytwfix.tables.driver import TableBusy
from pytwfix.tables.maps import Maps
from pytwfix.tables.results import split_addresses

# What is asked for after the full address and the address without its extension.
DEFAULT = "default"  # the bare local part where the domain is local, then @domain
DOMAIN = "domain"  # @domain only
ACCESS = "access"  # domain and its parents, then localpart@
TRANSPORT = "transport"  # domain and its parents, then *


class Found(NamedTuple):
    """A table's answer, and the address extension (with its delimiter) that the key did not have."""

    value: bytes
    extension: bytes


Key = tuple[bytes, bool, bool]  # key, partial, "without the extension"
LocalTest = Callable[[bytes], "bool | Awaitable[bool]"]


def split_extension(local: bytes, delimiter: bytes) -> tuple[bytes, bytes]:
    """`user+ext` -> (`user`, `+ext`): at the first of the delimiter's characters (AD-3). Not for the system's own
    names, nor for owner-list and list-request when the delimiter is `-`."""
    if not delimiter:
        return local, b""
    places = [place for place in (local.find(delimiter[i : i + 1]) for i in range(len(delimiter))) if place > 0]
    if not places or local.lower() in (b"mailer-daemon", b"double-bounce"):
        return local, b""
    place = min(places)
    if local[place : place + 1] == b"-":
        lower = local.lower()
        if lower.startswith(b"owner-") or lower.endswith(b"-request"):
            return local, b""
    return local[:place], local[place:]


def parents(domain: bytes, subdomains: bool) -> Iterator[bytes]:
    """The parents' keys, nearest first: `example.com` when a parent matches its subdomains, else `.example.com`."""
    dot = domain.find(b".", 1)
    while dot != -1 and dot + 1 < len(domain):
        yield domain[dot + 1 :] if subdomains else domain[dot:]
        dot = domain.find(b".", dot + 1)


def address_keys(
    address: bytes, strategy: str, delimiter: bytes, subdomains: bool, local_domain: bool
) -> Iterator[Key]:
    """All keys of a search in their order. `local_domain`: the domain is one of ours (bare local parts count)."""
    local, at, domain = address.rpartition(b"@")
    if not at:
        local, domain = address, b""
    bare, extension = split_extension(local, delimiter)
    suffix = at + domain
    yield from _forms(local, suffix, False, False)
    if extension:
        yield from _forms(bare, suffix, True, True)
    if strategy in (ACCESS, TRANSPORT):
        yield from _domain_keys(domain, subdomains, bool(extension))
        if strategy == TRANSPORT:
            yield b"*", True, bool(extension)
            return
        yield from _forms(local, b"@", True, False)
        if extension:
            yield from _forms(bare, b"@", True, True)
        return
    if at and strategy == DEFAULT and local_domain:
        yield from _forms(local, b"", True, False)
        if extension:
            yield from _forms(bare, b"", True, True)
    if at:
        yield b"@" + domain, True, False  # which stands for the whole local part


def _forms(local: bytes, suffix: bytes, partial: bool, stripped: bool) -> Iterator[Key]:
    """A key in external form, and in internal form where that is another one, and not another address."""
    external = quoted_local(local)
    yield external + suffix, partial, stripped
    if external != local and (suffix or b"@" not in local):
        yield local + suffix, partial, stripped


def _domain_keys(domain: bytes, subdomains: bool, extended: bool) -> Iterator[Key]:
    if domain:
        yield domain, True, extended
        for parent in parents(domain, subdomains):
            yield parent, True, extended


def find_address(
    maps: Maps,
    address: bytes,
    *,
    strategy: str = DEFAULT,
    delimiter: bytes = b"",
    subdomains: bool = False,
    local: LocalTest | None = None,
) -> Deferred[Found | None]:
    """Search `maps` for an address by one of the orders above.

    `subdomains` says that `example.com` matches its subdomains too (parent_domain_matches_subdomains), else
    `.example.com` does. `local` tells whether a domain is one of ours; it is asked for the
    order DEFAULT only.
    """
    if not maps:
        return fired(None)
    if not maps.direct or local is not None:
        return start(_find_waiting(maps, address, strategy, delimiter, subdomains, local))
    try:
        return fired(_find_now(maps, address, strategy, delimiter, subdomains))
    except TableBusy:
        return start(_find_waiting(maps, address, strategy, delimiter, subdomains, local))
    except TableError as error:
        return fail(error)


def _find_now(maps: Maps, address: bytes, strategy: str, delimiter: bytes, subdomains: bool) -> Found | None:
    get = maps.get
    if not maps.fixed:  # pattern tables see the whole key only
        strategy, delimiter = DOMAIN, b""
    for key, partial, stripped in address_keys(address, strategy, delimiter, subdomains, False):
        value = get(key, partial)
        if value is not None:
            return Found(value, _extension(address, delimiter) if stripped else b"")
    return None


async def _find_waiting(
    maps: Maps, address: bytes, strategy: str, delimiter: bytes, subdomains: bool, local: LocalTest | None
) -> Found | None:
    bare = False
    if local is not None and strategy == DEFAULT and maps.fixed:
        domain = address.rpartition(b"@")[2]
        answer = local(domain)
        bare = answer if isinstance(answer, bool) else await answer
    for key, partial, stripped in address_keys(address, strategy, delimiter, subdomains, bare):
        value = await maps.lookup(key, partial)
        if value is not None:
            return Found(value, _extension(address, delimiter) if stripped else b"")
    return None


def _extension(address: bytes, delimiter: bytes) -> bytes:
    local, at, _ = address.rpartition(b"@")
    return split_extension(local if at else address, delimiter)[1]


def find_domain(maps: Maps, name: bytes, subdomains: bool = False) -> Deferred[bytes | None]:
    """A host or domain name: itself, then its parents (not of an address) (SD-35)."""
    keys: list[tuple[bytes, bool]] = [(name, False)]
    if maps.fixed and not _numeric(name):
        keys.extend((parent, True) for parent in parents(name, subdomains))
    return _first(maps, keys)


def find_network(maps: Maps, address: bytes) -> Deferred[bytes | None]:
    """An IP address, then the networks above it, split at `.` or `:` (SD-35)."""
    keys: list[tuple[bytes, bool]] = [(address, False)]
    if maps.fixed:
        delimiter = b":" if b":" in address else b"."
        rest = address.rpartition(delimiter)[0]
        while rest:
            keys.append((rest, True))
            rest = rest.rpartition(delimiter)[0]
    return _first(maps, keys)


def _numeric(name: bytes) -> bool:
    return b":" in name or name.replace(b".", b"").isdigit()


def _first(maps: Maps, keys: list[tuple[bytes, bool]]) -> Deferred[bytes | None]:
    if not maps:
        return fired(None)
    if not maps.direct:
        return start(_first_waiting(maps, keys))
    try:
        for key, partial in keys:
            value = maps.get(key, partial)
            if value is not None:
                return fired(value)
    except TableBusy:
        return start(_first_waiting(maps, keys))
    except TableError as error:
        return fail(error)
    return fired(None)


async def _first_waiting(maps: Maps, keys: list[tuple[bytes, bool]]) -> bytes | None:
    for key, partial in keys:
        value = await maps.lookup(key, partial)
        if value is not None:
            return value
    return None


MAXIMUM_STEPS = 10  # of a 1:1 mapping that is applied to its own result

Rewrite = Callable[[bytes], Awaitable[bytes]]


async def map_to_list(
    maps: Maps,
    address: bytes,
    *,
    delimiter: bytes = b"",
    propagate: bool = False,
    local: LocalTest | None = None,
    rewrite: Rewrite | None = None,
) -> list[bytes] | None:
    """One step of a 1:N mapping (virtual aliases): the addresses that stand for `address`, or None.

    `@domain` as the value keeps the local part; `propagate` gives the extension that the key did not have to each
    result; `rewrite` completes a result (append @myorigin ...).
    """
    found = await find_address(maps, address, delimiter=delimiter, local=local)
    if found is None:
        return None
    value, extension = found
    if value.startswith(b"@"):
        kept = address.rpartition(b"@")[0] if b"@" in address else address
        results, extension = [kept + value.strip()], b""
    else:
        results = split_addresses(value)
    out: list[bytes] = []
    for result in results:
        complete = await rewrite(result) if rewrite is not None else result
        out.append(_with_extension(complete, extension) if propagate and extension else complete)
    return out


def _with_extension(address: bytes, extension: bytes) -> bytes:
    local, at, domain = address.rpartition(b"@")
    return local + extension + at + domain if at else address + extension


async def map_address(
    maps: Maps,
    address: bytes,
    *,
    delimiter: bytes = b"",
    propagate: bool = False,
    local: LocalTest | None = None,
    rewrite: Rewrite | None = None,
    queue_id: str = "",
    steps: int = MAXIMUM_STEPS,
) -> bytes:
    """A 1:1 mapping: canonical, applied to its own result until that does not change (CA-4), or generic, in one step.

    Of an entry with several addresses the first counts; of one that leads on and on the last result. Both are told of.
    """
    ident = f"{queue_id}: " if queue_id else ""
    for _ in range(steps):
        results = await map_to_list(
            maps, address, delimiter=delimiter, propagate=propagate, local=local, rewrite=rewrite
        )
        if results is None:
            return address
        if len(results) != 1:
            maps.warn(f"{ident}multi-valued {maps.title} entry for {address.decode('utf-8', 'replace')}")
        if not results:
            return address
        if results[0].lower() == address.lower():
            return results[0]
        address = results[0]
    if steps == 1:
        return address
    shown = address.decode("utf-8", "replace")
    maps.warn(f"{ident}unreasonable {maps.title} map nesting for {shown} -- message not accepted, try again later")
    return address
