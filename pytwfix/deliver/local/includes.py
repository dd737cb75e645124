""":include: files (AL-1, AL-3): read with the alias's rights; what they name is run with those of the file's owner.

Addresses of a list always go into a new message, so that a list that fails half-way is not sent twice to some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.asuser import AsUserError, FileRead, Identity
from pytwfix.deliver.local import log
from pytwfix.deliver.local.aliases import parse_file
from pytwfix.deliver.local.report import CONFIGURATION_DELAY, CONFIGURATION_ERROR
from pytwfix.deliver.local.target import Expansion
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from pytwfix.deliver.local.agent import Attempt

_LARGEST = 64 << 20
_DEEPEST = 100


async def expand(attempt: Attempt, value: bytes, expansion: Expansion) -> None:
    """Deliver to everything that the file names."""
    target = expansion.target
    path = value.decode("utf-8", "surrogateescape").replace("\0", "")
    if expansion.depth >= _DEEPEST:
        await attempt.ledger.settle(target, Dsn("5.4.6", "recipient nesting limit exceeded"))
        return
    if not attempt.first_time("include", value):
        return
    content = await _read(attempt, path, expansion.who)
    if isinstance(content, Dsn):
        await attempt.ledger.settle(target, content, faulty=True)
        return
    lines = parse_file(content)
    if not lines:
        attempt.ledger.settled = True  # a list without members takes its mail and gives it to nobody
        return
    who = await _owner(attempt, path, expansion)
    inner = Expansion(target, "include", who, direct=False, append=expansion.append, depth=expansion.depth + 1)
    await attempt.lines(lines, inner)


async def _read(attempt: Attempt, path: str, who: Identity | None) -> bytes | Dsn:
    if not path.startswith("/"):
        log.file_trouble(attempt.host.log, f":include:{path} uses a relative path")
        return CONFIGURATION_ERROR
    if who is None:
        return CONFIGURATION_ERROR
    try:
        content = await attempt.host.peers.asuser.read(who, FileRead(path, _LARGEST, owner_only=False))
    except AsUserError as error:
        log.file_trouble(attempt.host.log, f":include: {error.text}")
        # Postfix reads a list behind root's aliases as root; here default_privs must be able to. The mail waits for it.
        return CONFIGURATION_DELAY if error.kind in ("denied", "temporary") else CONFIGURATION_ERROR
    if content is None:
        log.file_trouble(attempt.host.log, f"unable to lookup :include: file {path}: No such file or directory")
        return CONFIGURATION_ERROR
    return content


async def _owner(attempt: Attempt, path: str, expansion: Expansion) -> Identity | None:
    """Whose rights commands and files of this list have; who cannot be found out has none but default_privs."""
    if expansion.context == "forward":
        return expansion.who
    try:
        info = await attempt.host.threads.run(attempt.host.disk.stat, path)
    except OSError:
        return await attempt.identity(0)
    return await attempt.identity(int(info.st_uid))
