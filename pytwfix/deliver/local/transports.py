"""After aliases and .forward: whose is the mailbox (LO-3).

mailbox_transport_maps, mailbox_transport; for users mailbox_command_maps, mailbox_command, home_mailbox or
mail_spool_directory; for others fallback_transport_maps, fallback_transport, luser_relay, or `unknown user`. Raises
TableError when a table does not answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytwfix.basics.macros import expand
from pytwfix.contracts.asuser import Identity
from pytwfix.contracts.tables import DEFAULT_FLAGS, NO_REGSUB
from pytwfix.deliver import mailbox as form
from pytwfix.deliver.accounts import Account
from pytwfix.deliver.local import log, macros
from pytwfix.deliver.local.report import CONFIGURATION_DELAY
from pytwfix.deliver.local.target import Target
from pytwfix.mail.status import Dsn
from pytwfix.tables.addresses import external_form
from pytwfix.tables.maps import Maps

if TYPE_CHECKING:
    from pytwfix.deliver.local.agent import Attempt

_FLAGS = DEFAULT_FLAGS | NO_REGSUB
_REQUIRED = (b"postmaster", b"mailer-daemon")  # mail to them must not bounce: that would go round
ROOT = Dsn("4.2.0", "mail to root needs an alias: no mail is delivered with root privileges")


async def mailbox(attempt: Attempt, target: Target, account: Account | None) -> None:
    """Bring the mail to the end of its way."""
    cfg = attempt.cfg
    maps = cfg.mailbox_transport_maps
    transport = await _choose(attempt, maps, "mailbox_transport_maps", cfg.mailbox_transport, target)
    if transport:
        await _pass_on(attempt, target, transport)
    elif account is None:
        await _unknown(attempt, target)
    elif account.uid == 0:
        await attempt.ledger.settle(target, ROOT)
    else:
        await _own(attempt, target, account)


async def _choose(attempt: Attempt, names: str, title: str, default: str, target: Target) -> str:
    maps = Maps(attempt.host.tables, names, title, _FLAGS)
    value = await maps.lookup(target.user) if maps else None
    return default if value is None else value.decode("utf-8", "surrogateescape")


async def _own(attempt: Attempt, target: Target, account: Account) -> None:
    cfg = attempt.cfg
    command = await _choose(attempt, cfg.mailbox_command_maps, "mailbox_command_maps", cfg.mailbox_command, target)
    delivered = attempt.delivered_to(target)
    if command:
        who = Identity(account.uid, account.gid)
        dsn = await attempt.destinations.command(target, command, who, delivered, account)
    else:
        dsn = await attempt.destinations.mailbox(target, account, delivered)
    await attempt.ledger.settle(target, dsn)


async def _unknown(attempt: Attempt, target: Target) -> None:
    cfg = attempt.cfg
    transport = await _choose(
        attempt, cfg.fallback_transport_maps, "fallback_transport_maps", cfg.fallback_transport, target
    )
    if transport:
        await _pass_on(attempt, target, transport)
        return
    relay = cfg.luser_relay
    if relay and not target.relayed:
        address = expand(relay, macros.values(target, None).get)  # an address, so that nothing has to be filtered
        await attempt.relay_unknown(target, address.encode("utf-8", "surrogateescape"))
        return
    if target.user in _REQUIRED:
        log.no_alias(attempt.host.log, form.printable(target.user))
        await attempt.ledger.settle(target, Dsn("2.0.0", "discarded"))
        return
    await attempt.ledger.settle(target, Dsn("5.1.1", f'unknown user: "{form.printable(target.user)}"'))


async def _pass_on(attempt: Attempt, target: Target, where: str) -> None:
    """Another delivery service takes the mail; it logs and reports itself."""
    transport, _, nexthop = where.partition(":")
    host = attempt.host
    if transport == attempt.request.transport:
        log.own_transport(host.log, transport)  # here a real local(8) goes round for ever
        await attempt.ledger.settle(target, CONFIGURATION_DELAY)
        return
    agent = host.peers.agents.agent(transport)
    if agent is None:
        log.unknown_transport(host.log, transport)
        await attempt.ledger.settle(target, CONFIGURATION_DELAY)
        return
    log.passing(host.log, attempt.request.queue_id, form.printable(external_form(target.address)), transport)
    request = replace(
        attempt.ledger.request,
        transport=transport,
        nexthop=nexthop or attempt.request.nexthop,
        recipients=[attempt.ledger.leaf(target)],
    )
    attempt.ledger.settled = True
    result = await agent.deliver(request)
    if result.deferred:
        attempt.ledger.deferred += 1
