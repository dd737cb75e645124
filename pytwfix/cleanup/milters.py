"""Filters at the end of a mail: those of the SMTP session, or non_smtpd_milters, which are told of a session that there
never was (MI-5, MI-6, MI-8, CL-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.cleanup import log
from pytwfix.cleanup.filtered import FilteredMail
from pytwfix.contracts.milters import DISCARD, HOLD, Verdict
from pytwfix.mail.errors import MailError, queue_file_write_error
from pytwfix.net.milter.chain import Milters
from pytwfix.net.milter.verdicts import CLOSING

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from pytwfix.cleanup.held import Held
    from pytwfix.cleanup.transaction import Transaction
    from pytwfix.contracts.milters import IMilters

_END = "END-OF-MESSAGE"


class Macros:
    """IMacros of mail that did not come by SMTP: from localhost."""

    __slots__ = ("_mail", "mailing")

    def __init__(self, mail: Transaction) -> None:
        self._mail = mail
        self.mailing = False

    def macro(self, name: str) -> str | None:
        known = _FIXED.get(name)
        if known is not None:
            return known
        mail, cfg = self._mail, self._mail.config.settings
        if name == "i":
            return mail.queue_id
        if name == "j":
            return cfg.myhostname
        if name == "v":
            return cfg.milter_macro_v
        if name == "daemon_name":
            return cfg.milter_macro_daemon_name
        if name == "mail_addr" and self.mailing:
            return _text(mail.envelope.sender)
        return _text(mail.last) if name == "rcpt_addr" else None


_FIXED = {
    "_": "localhost [127.0.0.1]", "client_addr": "127.0.0.1", "client_name": "localhost", "client_ptr": "localhost",
    "client_port": "0", "daemon_addr": "127.0.0.1", "daemon_port": "0",
}  # fmt: skip


def _text(address: bytes) -> str:
    return address.decode("utf-8", "surrogateescape")


async def filtered(mail: Transaction, held: Held, session: IMilters | None) -> bytes:
    """Let the filters see and change the mail; its header, to be written before the held body. MailError: refused. A
    mail that they discard has its `discarded` set."""
    content = FilteredMail(mail, held)
    if session is not None:
        _obey(mail, _END, await session.message(content))
        return content.header()
    config = mail.config
    macros = Macros(mail)
    milters = Milters(mail.host, config.milters, config.macro_lists, macros)
    try:
        await _imagined(mail, milters, macros, content)
    finally:
        milters.close()
    return content.header()


async def _imagined(mail: Transaction, milters: Milters, macros: Macros, content: FilteredMail) -> None:
    """A session for mail that came without one."""
    envelope = mail.envelope
    mail.last = b""
    if await _told(mail, "CONNECT", milters.connect("localhost", "127.0.0.1", "0")):
        return
    if await _told(mail, "EHLO", milters.helo("localhost")):
        return
    macros.mailing = True
    if await _told(mail, "MAIL", milters.mail([envelope.sender])):
        return
    for address in mail.addresses.named or ():
        mail.last = address
        verdict = await milters.rcpt([address])
        if verdict is not None and verdict.reply is not None:
            _log(mail, "RCPT", verdict)
            log.milter_recipient_refused(mail.log, mail.queue_id)
            raise queue_file_write_error("a filter refused a recipient")
        _obey(mail, "RCPT", verdict)
        if mail.discarded:
            return
    if not await _told(mail, "DATA", milters.data()):
        _obey(mail, _END, await milters.message(content))


async def _told(mail: Transaction, stage: str, waiting: Deferred[Verdict | None]) -> bool:
    """Whether the mail is discarded now."""
    _obey(mail, stage, await waiting)
    return mail.discarded


def _log(mail: Transaction, stage: str, verdict: Verdict) -> None:
    text = verdict.text if verdict.reply is None else verdict.text[4:]  # without the code
    source, rest = mail.named_source("localhost[127.0.0.1]"), mail.addressed()
    log.milter(mail.log, mail.queue_id, verdict.kind, stage, source, text, rest)


def _obey(mail: Transaction, stage: str, verdict: Verdict | None) -> None:
    """MailError: the mail is refused."""
    if verdict is None:
        return
    if verdict.kind != HOLD or not mail.held:
        _log(mail, stage, verdict)
    if verdict.kind == DISCARD:
        mail.discarded = True
    elif verdict.kind == HOLD:
        mail.held = True
    elif verdict.reply is not None:
        if verdict is CLOSING and not mail.by_smtp:  # nobody is there to be hung up on
            raise queue_file_write_error("a filter ends the session")
        raise MailError(verdict.reply)
