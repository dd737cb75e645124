""".forward files of users (LO-6, AL-4, AL-5): the first file of forward_path that exists counts.

They are read with the user's rights. A file of another owner, one that everybody may write, and one that is no regular
file is logged and passed over; an empty one means that there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.asuser import AsUserError, FileRead, Identity
from pytwfix.deliver import mailbox
from pytwfix.deliver.accounts import Account
from pytwfix.deliver.local import log, macros
from pytwfix.deliver.local.aliases import Item, parse_file
from pytwfix.deliver.local.target import Expansion, Target
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from pytwfix.deliver.local.agent import Attempt


async def expand(attempt: Attempt, target: Target, account: Account) -> bool:
    """Whether a .forward took the mail."""
    if attempt.cfg.require_home_directory and not await _has_home(attempt, target, account):
        return True
    found = await _first(attempt, target, account)
    if not found:
        return False
    await attempt.ledger.expanded()
    inner = target.child(target.address)
    inner.forwards += (target.user,)
    expansion = Expansion(inner, "forward", Identity(account.uid, account.gid))
    if target.extension and "forward" in attempt.cfg.propagate_unmatched_extensions.replace(",", " ").split():
        expansion.append = target.found_delimiter + target.extension
    # The user himself, named in his own file, is his mailbox, with the address that this host gives him.
    await attempt.lines(found, expansion)
    return True


async def _has_home(attempt: Attempt, target: Target, account: Account) -> bool:
    try:
        await attempt.host.threads.run(attempt.host.disk.stat, account.home)
    except OSError as error:
        text = f"cannot access home directory {account.home}: {error.strerror}"
        await attempt.ledger.settle(target, Dsn("4.3.0", text))
        return False
    return True


async def _first(attempt: Attempt, target: Target, account: Account) -> list[list[Item]]:
    if account.uid == 0:
        return []  # nothing is done with root's rights
    who = Identity(account.uid, account.gid)
    seen: set[str] = set()
    for path in paths(attempt, target, account):
        if path in seen:
            continue
        seen.add(path)
        try:
            content = await attempt.host.peers.asuser.read(who, FileRead(path))
        except AsUserError as error:
            log.file_trouble(attempt.host.log, error.text)
            return []
        if content is not None:
            return parse_file(content)
    return []


def paths(attempt: Attempt, target: Target, account: Account) -> list[str]:
    """forward_path with this address's values."""
    cfg = attempt.cfg
    names = macros.values(target, account)
    found: list[str] = []
    for template in cfg.forward_path.replace(",", " ").split():
        try:
            path = macros.filtered(template, names, cfg.forward_expansion_filter)
        except ValueError as error:
            log.file_trouble(attempt.host.log, f"forward_path: {mailbox.printable(str(error).encode())}")
            continue
        if path.startswith("/"):
            found.append(path)
    return found
