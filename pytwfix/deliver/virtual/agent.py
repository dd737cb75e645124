"""One request: each recipient into its mbox or Maildir, with the rights that the tables give it (VI-1, RX-8).

Tables are asked by the whole address first, then without extension, then @domain. An address that is in no table is
5.1.1; uid or gid that is missing or not acceptable, or a table that does not answer, is 4.3.5; what goes wrong with
the mailbox itself is 4.2.0, or 5.2.2 when it is full.
"""

from __future__ import annotations

from socket import gethostname

from pytwfix.contracts.asuser import AsUserError, Identity, MailboxWrite
from pytwfix.contracts.delivery import VERIFY_ONLY, DeliveryRequest, DeliveryResult
from pytwfix.contracts.host import IHost
from pytwfix.contracts.queue import IMessage
from pytwfix.contracts.tables import DEFAULT_FLAGS, NO_PROXY, NO_REGSUB, NO_UNAUTH, TableError
from pytwfix.deliver import mailbox
from pytwfix.deliver.outcome import Outcome
from pytwfix.deliver.statusfilter import StatusFilter, status_filter
from pytwfix.deliver.virtual import log
from pytwfix.deliver.virtual.settings import VirtualSettings
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.status import Dsn
from pytwfix.tables.addresses import external_form, find_address
from pytwfix.tables.maps import Maps

RELAY = "virtual"
_FLAGS = DEFAULT_FLAGS | NO_REGSUB | NO_PROXY | NO_UNAUTH
_LARGEST_ID = 2**31 - 1
CONFIGURATION_ERROR = Dsn("4.3.5", "mail system configuration error")


class _Refused(Exception):
    """Why a recipient does not get the mail."""

    def __init__(self, dsn: Dsn) -> None:
        super().__init__(dsn.reason)
        self.dsn = dsn


class Delivery:
    """All recipients of one request, one after the other."""

    def __init__(self, host: IHost, request: DeliveryRequest) -> None:
        self._host = host
        self._request = request
        self._cfg = host.settings(VirtualSettings)
        self._body: bytes | None = None

    async def run(self) -> DeliveryResult:
        async with mailbox.opened(self._host, self._request) as message:
            outcome = Outcome(self._host, self._request, self._statuses())
            for recipient in self._request.recipients:
                await self._deliver(message, recipient, outcome)
        return outcome.result

    def _statuses(self) -> StatusFilter | None:
        return status_filter(self._host, self._cfg.virtual_delivery_status_filter, "virtual_delivery_status_filter")

    async def _deliver(self, message: IMessage, recipient: Recipient, outcome: Outcome) -> None:
        times = self._request.times
        try:
            dsn = await self._attempt(message, recipient)
        except _Refused as refused:
            dsn = refused.dsn
        if dsn.success:
            await outcome.sent(recipient, dsn, RELAY, times)
        elif dsn.permanent:
            await outcome.bounced(recipient, dsn, RELAY, times)
        else:
            await outcome.deferred(recipient, dsn, RELAY, times)

    async def _attempt(self, message: IMessage, recipient: Recipient) -> Dsn:
        address = recipient.address
        place = await self._find("virtual_mailbox_maps", self._cfg.virtual_mailbox_maps, address)
        shown = mailbox.printable(address.lower())
        if place is None:
            raise _Refused(Dsn("5.1.1", f'unknown user: "{shown}"'))
        path = self._path(place)
        cfg = self._cfg
        uid = await self._id("uid", "virtual_uid_maps", cfg.virtual_uid_maps, address, cfg.virtual_minimum_uid)
        gid = await self._id("gid", "virtual_gid_maps", cfg.virtual_gid_maps, address, 1)
        who = Identity(uid, gid)
        maildir = path.endswith("/")
        if self._request.flags & VERIFY_ONLY:
            return Dsn("2.0.0", "delivers to maildir" if maildir else "delivers to mailbox")
        await self._write(message, recipient, path, who)
        return Dsn("2.0.0", "delivered to maildir" if maildir else "delivered to mailbox")

    async def _find(self, parameter: str, tables: str, address: bytes) -> bytes | None:
        maps = Maps(self._host.tables, tables, parameter, _FLAGS)
        delimiter = self._cfg.recipient_delimiter.encode()
        try:
            found = await find_address(maps, address, delimiter=delimiter)
        except TableError as error:
            self._host.log.warning(f"table {parameter}: lookup {mailbox.printable(address)}: {error.reason}")
            raise _Refused(CONFIGURATION_ERROR) from None
        return None if found is None else found.value

    def _path(self, place: bytes) -> str:
        path = place.decode("utf-8", "surrogateescape")
        base = self._cfg.virtual_mailbox_base
        return f"{base}/{path}" if base else path

    async def _id(self, kind: str, parameter: str, tables: str, address: bytes, least: int) -> int:
        found = await self._find(parameter, tables, address)
        shown = mailbox.printable(address.lower())
        if found is None:
            log.not_found(self._host.log, shown, parameter)
            raise _Refused(CONFIGURATION_ERROR)
        number = int(found) if found.isdigit() and len(found) < 12 else -1
        if not least <= number <= _LARGEST_ID:
            log.bad_id(self._host.log, shown, kind, mailbox.printable(found), parameter)
            raise _Refused(CONFIGURATION_ERROR)
        return number

    async def _write(self, message: IMessage, recipient: Recipient, path: str, who: Identity) -> None:
        if self._body is None:
            self._body = await mailbox.content(message)
        sender = external_form(self._request.envelope.sender)
        original = external_form(recipient.original) if self._cfg.enable_original_recipient else b""
        headers = mailbox.trace_headers(sender, original, external_form(recipient.address))
        maildir = path.endswith("/")
        data = headers + self._body if maildir else mailbox.mbox(sender, self._host.now(), headers, self._body)
        request = MailboxWrite(
            path,
            data,
            locks=self._cfg.virtual_mailbox_lock.replace(",", " ").split(),
            lock_attempts=self._cfg.deliver_lock_attempts,
            lock_delay=self._cfg.deliver_lock_delay,
            stale_lock=self._cfg.stale_lock_time,
            size_limit=self._cfg.virtual_mailbox_limit,
            hostname=gethostname(),
            strict_owner=self._cfg.strict_mailbox_ownership,
        )
        try:
            await self._host.peers.asuser.write(who, request)
        except AsUserError as error:
            raise _Refused(self._failure(error, path, who)) from None

    def _failure(self, error: AsUserError, path: str, who: Identity) -> Dsn:
        if error.kind == "owner":
            log.ownership(self._host.log)
        if path.endswith("/"):
            if error.kind == "denied":
                log.maildir_access(self._host.log, who.uid, who.gid, error.text)
            text = f"maildir delivery failed: {error.text}"
        else:
            text = f"delivery failed to mailbox {path}: {error.text}"
        return Dsn({"toolarge": "5.2.2", "quota": "4.2.2", "nospace": "4.3.1"}.get(error.kind, "4.2.0"), text)
