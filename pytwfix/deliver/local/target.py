"""One local address on its way through aliases and .forward files (LO-1, AL-4), and what it is expanded by."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytwfix.contracts.asuser import Identity
from pytwfix.tables.addresses import split_extension


@dataclass(slots=True)
class Target:
    """`address` in internal form; `sender` is the list's owner behind an alias that has one (`owned`); `original` is
    what X-Original-To and orig_to= say. `aliases` and `forwards` are the names that led here, outermost first."""

    address: bytes
    original: bytes
    sender: bytes
    delimiter: bytes = b""
    level: int = 0
    aliases: tuple[bytes, ...] = ()
    forwards: tuple[bytes, ...] = ()
    owned: bool = False
    mailbox_only: bool = False
    relayed: bool = False  # by luser_relay
    parent: Target | None = None
    indirect: bool = False  # behind a list or a .forward: users get a new mail
    local: bytes = field(init=False)  # in lower case, as all that follows
    domain: bytes = field(init=False)
    user: bytes = field(init=False)  # without extension
    extension: bytes = field(init=False)  # without its delimiter
    found_delimiter: bytes = field(init=False)

    def __post_init__(self) -> None:
        local, at, domain = self.address.rpartition(b"@")
        self.local, self.domain = (local.lower(), domain.lower()) if at else (self.address.lower(), b"")
        self.user, extension = split_extension(self.local, self.delimiter)
        self.found_delimiter, self.extension = extension[:1], extension[1:]

    def child(self, address: bytes, mailbox_only: bool = False) -> Target:
        """What this address was expanded to."""
        return Target(
            address,
            self.original,
            self.sender,
            self.delimiter,
            self.level + 1,
            self.aliases,
            self.forwards,
            self.owned,
            mailbox_only,
            self.relayed,
            self,
            self.indirect,
        )


@dataclass(slots=True)
class Expansion:
    """Where items come from: `context` is "alias", "forward" or "include"; `who` runs commands and writes files for
    them (None: there is nobody with so few rights). Not `direct`: all addresses go into a new message."""

    target: Target
    context: str
    who: Identity | None
    direct: bool = True
    append: bytes = b""  # extension that the addresses get (propagate_unmatched_extensions)
    depth: int = 0
