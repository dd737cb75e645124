"""From maildrop/ to cleanup, on a trigger and every minute; and submissions by ordinary users (INVENTORY PK-1, LG-8).

A file is removed when cleanup has the mail; whatever goes wrong for now leaves it for the next scan. A file that makes
no sense goes to corrupt/.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults

from pytwfix.accept.pickup import drop, log, permission
from pytwfix.accept.pickup.dropfile import DropFile, sanitized
from pytwfix.accept.pickup.dropname import SUBMITTER
from pytwfix.accept.pickup.settings import PickupSettings
from pytwfix.contracts.cleanup import BOUNCE, FILTER, MAP, MILTER, SMTPUTF8_AUTODETECT, Origin
from pytwfix.mail.dates import mail_date
from pytwfix.mail.envelope import TRACE_VERIFY_ONLY
from pytwfix.mail.errors import MailError
from pytwfix.mail.reply import Reply
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.cleanup import ITransaction
    from pytwfix.contracts.host import IDisk, IHost

INTERVAL = 60.0  # the wake-up time in master.cf
_TOGETHER = 20  # files that are in work at once: their queue files share a flush
_OVERRIDES = {"no_address_mappings": MAP, "no_header_body_checks": FILTER, "no_milters": MILTER}


class PickupService(Service):
    def __init__(self, host: IHost) -> None:
        self._host = host
        self._timer: IDelayedCall | None = None
        self._scanning = False
        self._again = False

    def startService(self) -> None:
        super().startService()
        self.trigger()

    def stopService(self) -> None:
        super().stopService()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def trigger(self) -> None:
        """Somebody left a mail: look now."""
        if self._scanning:
            self._again = True
            return
        self._scanning = True
        self._host.background(self._scan(), "scan of maildrop")

    def submit(self, records: bytes, uid: int) -> Deferred[str]:
        """Keep a submission durably and pick it up. Fires with the file's name. MailError: it is refused."""
        return Deferred.fromCoroutine(self._submit(records, uid))

    async def _submit(self, records: bytes, uid: int) -> str:
        cfg = self._host.settings(PickupSettings)
        if cfg.message_size_limit and len(records) > cfg.message_size_limit:
            raise MailError(Reply(552, "5.3.4", "message file too big"))
        try:
            data = sanitized(records, uid)
            sender = DropFile(data).sender or b""
        except ValueError as error:
            raise MailError(Reply(554, "5.6.0", str(error))) from error
        await permission.check(self._host, uid, sender)
        try:
            name = await self._host.threads.run(
                drop.write, self._host.disk, cfg.queue_directory, data, self._host.now()
            )
        except OSError as error:
            raise MailError(Reply(451, "4.3.0", f"mail system: {error.strerror}"), str(error)) from error
        self.trigger()
        return name

    # -- scanning --------------------------------------------------------------------------------------------------

    async def _scan(self) -> None:
        try:
            while True:
                self._again = False
                await self._pass()
                if not self._again or not self.running:
                    return
        finally:
            self._scanning = False
            self._schedule()

    def _schedule(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self.running:
            self._timer = self._host.call_later(INTERVAL, self.trigger)

    async def _pass(self) -> None:
        host = self._host
        directory = host.settings(PickupSettings).queue_directory
        found = await host.threads.run(drop.names, host.disk, directory)
        for at in range(0, len(found), _TOGETHER):
            if not self.running:
                return
            works = [Deferred.fromCoroutine(self._take(name)) for name in found[at : at + _TOGETHER]]
            await gatherResults(works, consumeErrors=True)

    async def _take(self, name: str) -> None:
        host = self._host
        cfg = host.settings(PickupSettings)
        path = f"{cfg.queue_directory}/{drop.MAILDROP}/{name}"
        try:
            found = await host.threads.run(_read, host.disk, path)
            if found is None:
                return
            await self._deliver(cfg, *found)
            await host.threads.run(host.disk.unlink, path)
        except FileNotFoundError:
            return
        except OSError as error:
            log.not_now(host.log, name, str(error))
        except MailError as error:
            log.not_now(host.log, name, error.reason or error.reply.line())
        except ValueError as error:
            log.corrupt(host.log, name, str(error))
            await host.threads.run(host.disk.rename, path, f"{cfg.queue_directory}/{drop.CORRUPT}/{name}")
        except Exception as error:  # the others shall not wait for this one
            host.log.failure(f"maildrop/{name}", error)

    # -- one mail --------------------------------------------------------------------------------------------------

    async def _deliver(self, cfg: PickupSettings, uid: int, mail: DropFile) -> None:
        uid = mail.number(SUBMITTER) if SUBMITTER in mail.attributes else uid
        transaction = await self._host.peers.cleanup.begin(self._origin(cfg, mail))
        try:
            await self._fill(cfg, transaction, uid, mail)
            await transaction.commit()
        except BaseException as error:
            transaction.abort(str(error))
            raise

    def _origin(self, cfg: PickupSettings, mail: DropFile) -> Origin:
        flags = FILTER | MAP | BOUNCE | (0 if mail.requeued else MILTER)
        for word in split_list(cfg.receive_override_options):
            flags &= ~_OVERRIDES.get(word, 0)
        if not {"all", "sendmail"}.isdisjoint(split_list(cfg.smtputf8_autodetect_classes)):
            flags |= SMTPUTF8_AUTODETECT
        context = "remote" if mail.text("rewrite_context") == "remote" else "local"
        arrival = mail.arrival or self._host.now()
        return Origin(flags, mail.client(), rewrite_context=context, source="local", service="pickup",
                      arrival=arrival)  # fmt: skip

    async def _fill(self, cfg: PickupSettings, transaction: ITransaction, uid: int, mail: DropFile) -> None:
        queue_id = transaction.queue_id
        assert mail.sender is not None
        log.picked_up(self._host.log, queue_id, uid, mail.sender, mail.text("log_ident") if mail.requeued else "")
        self._options(cfg, transaction, mail)
        await transaction.sender(mail.sender)
        for recipient in mail.recipients:
            await transaction.recipient(recipient)
        if not mail.requeued:
            waiting = transaction.body(self._received(cfg, queue_id, uid))
            if waiting is not None:
                await waiting
        for piece in mail.content():
            waiting = transaction.body(piece)
            if waiting is not None:
                await waiting

    def _options(self, cfg: PickupSettings, transaction: ITransaction, mail: DropFile) -> None:
        envelope = transaction.envelope
        envelope.full_name = mail.full_name
        envelope.encoding = mail.text("encoding")
        envelope.dsn_envid = mail.attributes.get("envelope_id", b"")
        envelope.dsn_ret = mail.number("ret_flags")
        envelope.trace_flags = mail.number("trace_flags")
        envelope.sendopts |= mail.number("sendopts")
        if mail.verp is not None:
            envelope.verp = mail.verp or cfg.default_verp_delimiters
        if cfg.content_filter and not envelope.trace_flags & TRACE_VERIFY_ONLY:  # OB-13
            envelope.content_filter = cfg.content_filter

    def _received(self, cfg: PickupSettings, queue_id: str, uid: int) -> bytes:
        when = mail_date(self._host.now())
        by = f"Received: by {cfg.myhostname} ({cfg.mail_name}, from userid {uid})"
        return f"{by}\r\n\tid {queue_id}; {when}\r\n".encode()


def _read(disk: IDisk, path: str) -> tuple[int, DropFile] | None:
    """(owner, mail), in a thread: a large file takes a while. Files that are not our own may say less."""
    found = drop.read(disk, path)
    if found is None:
        return None
    uid, data = found
    trusted = uid in (0, os.geteuid())
    return uid, DropFile(data if trusted else sanitized(data, uid))
