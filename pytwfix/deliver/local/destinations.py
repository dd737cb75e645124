"""The ends of the way: a mailbox, a file, a command, each with one user's rights (LO-3, LO-4, LO-5, LO-8).

Every function gives the delivery status; none raises for what a mailbox or a command does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from socket import gethostname

from pytwfix.contracts.asuser import AsUserError, CommandRun, Identity, MailboxWrite
from pytwfix.contracts.delivery import VERIFY_ONLY, DeliveryRequest
from pytwfix.contracts.host import IHost
from pytwfix.deliver import commands, mailbox
from pytwfix.deliver import log as outcome_log
from pytwfix.deliver.accounts import Account
from pytwfix.deliver.local import log, macros
from pytwfix.deliver.local.biff import Biff
from pytwfix.deliver.local.settings import LocalSettings
from pytwfix.deliver.local.target import Target
from pytwfix.mail.status import DELIVERED, Dsn
from pytwfix.tables.addresses import external_form

# A command of these characters needs no shell when its program has a path.
_PLAIN = re.compile(r"[1234567890!@%\-_=+:,./ \t\nabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ]+\Z")
_STATUS = {"toolarge": "5.2.2", "quota": "4.2.2", "nospace": "4.3.1", "locked": "4.2.0", "temporary": "4.2.0"}


class Destinations:
    """For one recipient of a request; `body` is the content with LF line ends."""

    def __init__(self, host: IHost, request: DeliveryRequest, body: bytes, biff: Biff) -> None:
        self._host = host
        self._biff = biff
        self._request = request
        self._body = body
        self._cfg = host.settings(LocalSettings)
        self._verify = bool(request.flags & VERIFY_ONLY)

    # --- mailboxes and files

    async def mailbox(self, target: Target, account: Account, delivered: bytes) -> Dsn:
        """home_mailbox, or the user's mailbox in mail_spool_directory. A Maildir of either is before a home's mbox."""
        path, spool = self._mailbox(account)
        maildir = path.endswith("/")
        if self._verify:
            return Dsn("2.0.0", "delivers to maildir" if maildir else "delivers to mailbox")
        who = Identity(account.uid, account.gid)
        placed = await self._write(target, path, who, delivered, spool.rstrip("/"), locked=True)
        if isinstance(placed, AsUserError):
            return self._failed(placed, maildir, f"cannot update mailbox {path} for user {account.name}. ")
        if self._cfg.biff and not maildir:
            self._biff.tell(account.name, placed)
        return Dsn("2.0.0", "delivered to maildir" if maildir else "delivered to mailbox", DELIVERED)

    def _mailbox(self, account: Account) -> tuple[str, str]:
        """Where it is, and the spool directory that it is in or ""."""
        home, spool = self._cfg.home_mailbox, self._cfg.mail_spool_directory
        if home and (home.endswith("/") or not spool.endswith("/")):
            return f"{account.home}/{home}", ""
        return (f"{spool}{account.name}/" if spool.endswith("/") else f"{spool}/{account.name}"), spool

    async def file(self, target: Target, path: str, who: Identity, delivered: bytes) -> Dsn:
        """`/file` or `/directory/` of an alias or .forward."""
        if self._verify:
            return Dsn("2.0.0", f"delivers to file: {path}")
        placed = await self._write(target, path, who, delivered)
        maildir = path.endswith("/")
        if not isinstance(placed, AsUserError):
            return Dsn("2.0.0", "delivered to maildir" if maildir else f"delivered to file: {path}", DELIVERED)
        return self._failed(placed, maildir, f"cannot append message to file {path}: ")

    async def _write(
        self, target: Target, path: str, who: Identity, delivered: bytes, spool: str = "", locked: bool = False
    ) -> AsUserError | int:
        """`locked`: a dotlock, where it is asked for, must be had."""
        headers = self._headers(target, delivered if "file" in self._prepend else b"")
        if path.endswith("/"):
            data = headers + self._body
        else:
            data = mailbox.mbox(external_form(target.sender), self._host.now(), headers, self._body)
        cfg = self._cfg
        request = MailboxWrite(
            path,
            data,
            locks=cfg.mailbox_delivery_lock.replace(",", " ").split(),
            lock_attempts=cfg.deliver_lock_attempts,
            lock_delay=cfg.deliver_lock_delay,
            stale_lock=cfg.stale_lock_time,
            size_limit=cfg.mailbox_size_limit,
            hostname=gethostname(),
            lock_required=locked,
            strict_owner=cfg.strict_mailbox_ownership and not path.startswith("/dev/"),
            create_directory=spool,
        )
        try:
            return await self._host.peers.asuser.write(who, request)
        except AsUserError as error:
            if error.kind == "owner":
                log.ownership(self._host.log)
            elif error.kind == "denied" and path.endswith("/"):
                log.maildir_access(self._host.log, who.uid, who.gid, error.text)
            return error

    def _failed(self, error: AsUserError, maildir: bool, prefix: str) -> Dsn:
        text = "maildir delivery failed: " if maildir else prefix
        return Dsn(_STATUS.get(error.kind, "5.2.0"), text + error.text)

    # --- what is put before the content

    @property
    def _prepend(self) -> Sequence[str]:
        return self._cfg.prepend_delivered_header.replace(",", " ").split()

    def _headers(self, target: Target, delivered: bytes) -> bytes:
        original = external_form(target.original) if self._cfg.enable_original_recipient else b""
        return mailbox.trace_headers(external_form(target.sender), original, delivered)

    # --- commands

    async def command(
        self, target: Target, text: str, who: Identity, delivered: bytes, account: Account | None, shell: str = ""
    ) -> Dsn:
        """`|command` of an alias or .forward, or mailbox_command."""
        if self._verify:
            return Dsn("2.0.0", f"delivers to command: {text}")
        headers = self._headers(target, delivered if "command" in self._prepend else b"")
        sender = external_form(target.sender)
        request = CommandRun(
            arguments(text, self._cfg.local_command_shell),
            self._environment(target, account),
            mailbox.from_line(sender, self._host.now()) + headers + self._body,
            time_limit=float(self._cfg.command_time_limit),
            directory=self._directory(target, account),
            output_limit=commands.OUTPUT_LIMIT,
            file_limit=self._cfg.mailbox_size_limit,
        )
        try:
            result = await self._host.peers.asuser.run(who, request)
        except AsUserError as error:
            if self._cfg.local_command_shell and error.text.startswith("execvp "):
                error.text = f"pipe_command: {error.text}"
            log.command_not_run(self._host.log, commands.complaint(error, who, request.directory))
            return commands.not_run(error, "local")
        if result.timed_out:
            log.command_time_limit(self._host.log)
        if false := commands.false_success(result):
            outcome_log.false_success(self._host.log, false)
        dsn = commands.verdict(result, text)
        return Dsn("2.0.0", f"delivered to command: {text}", DELIVERED) if dsn.success else dsn

    def _directory(self, target: Target, account: Account | None) -> str:
        """command_execution_directory; a macro without a value means no directory."""
        text = self._cfg.command_execution_directory
        if not text:
            return ""
        allowed = self._cfg.execution_directory_expansion_filter
        return macros.filtered(text, macros.values(target, account), allowed)

    def _environment(self, target: Target, account: Account | None) -> dict[str, str]:
        envelope = self._request.envelope
        client = envelope.client
        name = _text(target.user) if account is None else account.name
        optional = {
            "SHELL": account.shell if account is not None else "",
            "HOME": account.home if account is not None else "",
            "EXTENSION": _text(target.extension),
            "DOMAIN": _text(target.domain),
            "ORIGINAL_RECIPIENT": _text(external_form(target.original)),
            "ENVID": _text(envelope.dsn_envid),
            "CLIENT_ADDRESS": client.address,
            "CLIENT_HELO": client.helo,
            "CLIENT_HOSTNAME": client.name,
            "CLIENT_PROTOCOL": client.protocol,
            "SASL_METHOD": client.sasl_method,
            "SASL_SENDER": client.sasl_sender,
            "SASL_USERNAME": client.sasl_username,
        }
        values = {name: value for name, value in optional.items() if value}
        values.update(USER=name, LOGNAME=name, LOCAL=_text(target.local))
        values["RECIPIENT"] = _text(external_form(target.address))
        values["SENDER"] = _text(external_form(target.sender))
        allowed = self._cfg.command_expansion_filter
        values = {key: macros.censored(value, allowed) for key, value in values.items()}
        cfg = self._cfg
        exported, imported = cfg.export_environment, cfg.import_environment
        return commands.environment(exported, imported, values, cfg.config_directory)


def arguments(text: str, shell: str = "") -> list[str]:
    """How a command is run: by local_command_shell, as it stands when it is plain and has a path, else by sh."""
    if shell:
        return [*shell.split(), text]
    words = text.split()
    if words and "/" in words[0] and _PLAIN.match(text):
        return words
    return ["sh", "-c", text]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape").replace("\0", "")
