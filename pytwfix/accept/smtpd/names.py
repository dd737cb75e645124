"""Whether a domain exists as far as mail is concerned: MX, else A or AAAA (SD-27, SD-28, SD-29)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from pytwfix.contracts.dns import MX, BadAnswer, DnsError, NoData, NoSuchName

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.state import State

NAME_FINE, NAME_UNKNOWN, NAME_TRY_AGAIN, NAME_NULL_MX, NAME_BAD = range(5)


async def name_exists(state: State, name: str, null_mx: bool = False) -> int:
    """One of NAME_*; with `null_mx` a domain that wants no mail (RFC 7505) is told apart."""
    resolver = state.host.resolver
    try:
        answer = await resolver.mx(name)
        records = [record for record in answer.records if isinstance(record, MX)]
        if null_mx and records and all(not record.host for record in records):
            return NAME_NULL_MX
        return NAME_FINE
    except (NoData, NoSuchName):
        pass
    except BadAnswer:
        return NAME_BAD
    except DnsError:
        return NAME_TRY_AGAIN
    return await _has_address(state, name)


async def _has_address(state: State, name: str) -> int:
    outcome = NAME_UNKNOWN
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            await state.host.resolver.addresses(name, family)
        except (NoData, NoSuchName):
            continue
        except BadAnswer:
            return NAME_BAD
        except DnsError:
            outcome = NAME_TRY_AGAIN
            continue
        return NAME_FINE
    return outcome
