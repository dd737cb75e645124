"""Old defaults that a new compatibility_level ends: said in the log whenever one made the difference (V-3, V-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.accept.smtpd.destination import authorised
from pytwfix.accept.smtpd.state import OK, State, awaited
from pytwfix.basics.printable import printable
from pytwfix.contracts.rewriting import CLASS_FINAL, CLASS_RELAY, FAILED, Resolved
from pytwfix.contracts.tables import TableError
from pytwfix.settings.compatibility import USING, old_default

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.restrictions import RestrictionList
    from pytwfix.settings.snapshot import Snapshot

_RELAY, _LATE, _DOMAINS, _UTF8, _NETWORKS, _DIGEST = (
    "smtpd_relay_restrictions", "smtpd_relay_before_recipient_restrictions", "relay_domains", "smtputf8_enable",
    "mynetworks_style", "smtpd_tls_fingerprint_digest",
)  # fmt: skip


class OldDefaults:
    """Those that are in force. Each method says its line if its default is one of them."""

    __slots__ = ("_names", "_new_list")

    def __init__(self, snapshot: Snapshot, new_list: RestrictionList) -> None:
        """`new_list`: what smtpd_relay_restrictions has been since the level that ended the old default."""
        names = (_RELAY, _LATE, _DOMAINS, _UTF8, _NETWORKS, _DIGEST)
        self._names = frozenset(name for name in names if old_default(snapshot, name) is not None)
        if snapshot.stated("mynetworks") is not None:
            self._names -= {_NETWORKS}
        self._new_list = new_list

    def __bool__(self) -> bool:
        return bool(self._names)

    def trusted(self, state: State) -> None:
        """mynetworks let a client pass that is not this machine."""
        if _NETWORKS in self._names and state.client.address not in state.config.own_addresses:
            text = f'mynetworks_style=subnet to permit request from client "{state.client.namaddr}"'
            _say(state, text)

    def fingerprints(self, state: State) -> None:
        """A client's certificate is looked up by its fingerprint."""
        if _DIGEST in self._names:
            _say(state, "smtpd_tls_fingerprint_digest=md5 to compute certificate fingerprints")

    def sender(self, state: State) -> None:
        self._eight_bit(state, "sender", state.sender)

    def recipient(self, state: State) -> None:
        self._eight_bit(state, "recipient", state.recipient)

    def _eight_bit(self, state: State, what: str, address: bytes | None) -> None:
        if address and not address.isascii() and _UTF8 in self._names:
            text = f'smtputf8_enable=no to accept non-ASCII {what} address "{printable(address, False)}"'
            _say(state, f"{text} from {state.client.namaddr}")

    def relayed(self, state: State, resolved: Resolved, listed: bool = False) -> None:
        """A destination that is ours because it is below one of mydestination; `listed`: its address is, then."""
        if _DOMAINS in self._names and resolved.flags & CLASS_RELAY and not resolved.flags & (CLASS_FINAL | FAILED):
            address = resolved.recipient
            what, name = ("address", address) if listed else ("domain", address.rpartition(b"@")[2])
            _say(state, f'relay_domains=$mydestination to accept mail for {what} "{printable(name, False)}"')

    def refused_early(self, state: State) -> None:
        """smtpd_recipient_restrictions refused, before smtpd_relay_restrictions were asked."""
        if _LATE in self._names:
            _say(state, f"smtpd_relay_before_recipient_restrictions=no to reject {_who(state)}")

    async def accepted(self, state: State) -> None:
        """A recipient passed every list: say so if the new default would have refused it."""
        if _RELAY not in self._names or state.recipient is None:
            return
        try:
            if await awaited(self._new_list.check(state)) == OK:
                return
            good, resolved = await authorised(state, state.recipient)
            if good:
                self.relayed(state, resolved)
                return
        except TableError:
            return  # which was logged
        _say(state, f'"smtpd_relay_restrictions = (empty)" to avoid "Relay access denied" error for {_who(state)}')


def _who(state: State) -> str:
    recipient = printable(state.recipient or b"", False)
    return f'recipient "{recipient}" from client "{state.client.namaddr}"'


def _say(state: State, text: str) -> None:
    state.host.log.info(f"{USING} {text}")
