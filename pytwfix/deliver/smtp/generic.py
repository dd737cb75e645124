"""smtp_generic_maps: our addresses as the world is to see them, in the envelope and in headers (SM-15).

TableError: a table does not answer, and the mail waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.mail.addresslist import parse, render
from pytwfix.tables.addresses import map_address

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration

_NAMES = frozenset(
    b"from sender reply-to errors-to return-receipt-to disposition-notification-to return-path resent-from "
    b"resent-sender resent-reply-to to cc bcc resent-to resent-cc resent-bcc apparently-to mail-followup-to"
    .split()
)


class Generic:
    """The mapping of one service, with what it was asked already."""

    def __init__(self, config: Configuration) -> None:
        cfg = config.cfg
        self._config = config
        self._delimiter = cfg.recipient_delimiter.encode()
        self._propagate = "generic" in cfg.propagate_unmatched_extensions.replace(",", " ").split()
        self._limit = cfg.header_address_token_limit
        self._known: dict[bytes, bytes] = {}

    async def address(self, address: bytes) -> bytes:
        """One address, in internal form."""
        found = self._known.get(address)
        if found is None:
            found = await map_address(
                self._config.generic,
                address,
                delimiter=self._delimiter,
                propagate=self._propagate,
                local=self._config.is_local,
                rewrite=self._complete,
                steps=1,
            )
            self._known[address] = found
        return found

    async def _complete(self, address: bytes) -> bytes:
        """A result may be a bare local part."""
        if b"@" in address:
            return address
        return await self._config.host.peers.rewriter.rewrite("local", address)

    async def field(self, name: bytes, lines: list[bytes]) -> list[bytes]:
        """The lines of a field, changed when it holds addresses that are."""
        if name not in _NAMES:
            return lines
        raw, _, value = b"\r\n".join(lines).partition(b":")
        elements = parse(value.strip(), self._limit)
        changed = False
        for element in elements:
            if element.address:
                new = await self.address(element.address)
                changed = changed or new != element.address
                element.address = new
        if not changed:
            return lines
        return render(raw.strip(), elements).rstrip(b"\r\n").split(b"\r\n")
