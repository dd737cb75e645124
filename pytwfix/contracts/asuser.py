"""What is done with another user's rights: three verbs, nothing else (HOUSE 3, LO-*, PI-1).

As root the keeper process does them; else they act as the user who runs the daemon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class AsUserError(Exception):
    """It could not be done.

    `kind` is "temporary", "permanent", "missing", "denied", "nospace", "quota", "toolarge", "owner" (the file is
    another user's) or "locked"; `text` is for people.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


@dataclass(slots=True)
class Identity:
    uid: int
    gid: int


@dataclass(slots=True)
class MailboxWrite:
    """Append to an mbox, or deliver into a Maildir (`path` ends in "/"). `data` is complete, with LF line ends, and the
    mbox `From ` line and `>From ` quoting already done."""

    path: str
    data: bytes
    locks: Sequence[str] = ("fcntl",)  # fcntl, flock, dotlock
    lock_attempts: int = 20
    lock_delay: float = 1.0
    stale_lock: float = 500.0
    size_limit: int = 0  # of the mbox after the write, of the mail for a Maildir; 0: none
    hostname: str = ""  # the machine's own, for Maildir file names
    lock_required: bool = True  # a dotlock that cannot be made is an error, not a warning
    strict_owner: bool = True  # the mbox must belong to the user
    create_directory: str = ""  # a spool directory in which a missing mbox may be made by root and given to the user


@dataclass(slots=True)
class CommandRun:
    argv: Sequence[str]
    environment: Mapping[str, str]
    data: bytes  # standard input
    time_limit: float = 1000.0
    directory: str = ""
    chroot: str = ""
    output_limit: int = 4096
    file_limit: int = 0  # no file that it writes may become larger; 0: none


@dataclass(slots=True)
class CommandResult:
    """`status` is the exit status, or minus the signal; `timed_out` that the time limit ended it."""

    status: int
    output: bytes
    timed_out: bool = False


@dataclass(slots=True)
class FileRead:
    path: str
    limit: int = 1 << 20
    owner_only: bool = True  # .forward: owned by the user (or root), not writable by others
    attributes: dict[str, str] = field(default_factory=dict)


class IAsUser(Protocol):
    """Errback: AsUserError. uid 0 and mail_owner's uid are refused by the keeper (AsUserError "denied")."""

    one_user: bool
    """Whoever is named, it is done as the user who runs the daemon, who is mail_owner too."""

    def write(self, who: Identity, request: MailboxWrite) -> Deferred[int]:
        """Fires with the place in the mbox at which the mail begins, 0 for a Maildir."""

    def run(self, who: Identity, request: CommandRun) -> Deferred[CommandResult]: ...
    def spawn(self, who: Identity, request: CommandRun, connection: int) -> Deferred[CommandResult]:
        """A command with the socket `connection` as its standard input, output and error; fires when it has ended.
        The caller keeps its own copy of the descriptor."""

    def read(self, who: Identity, request: FileRead) -> Deferred[bytes | None]:
        """None: there is no such file."""
