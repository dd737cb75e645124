"""One request: the command is run once for all its recipients, and its end decides for all (PI-1, LO-5).

With the flags D and O, which name a recipient in the mail, it is run once for each. A line in master.cf that cannot be
used is 4.3.5; a mail that is too large for the service 5.2.3; one that was there before (flag D) 5.4.6.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytwfix.basics.durations import parse_duration
from pytwfix.contracts.asuser import AsUserError, CommandRun, Identity
from pytwfix.contracts.delivery import VERIFY_ONLY, DeliveryRequest, DeliveryResult
from pytwfix.contracts.host import IHost
from pytwfix.contracts.queue import IMessage
from pytwfix.deliver import commands, mailbox
from pytwfix.deliver import log as outcome_log
from pytwfix.deliver.accounts import Accounts, group_id
from pytwfix.deliver.outcome import Outcome
from pytwfix.deliver.pipe import log
from pytwfix.deliver.pipe.arguments import ArgumentError, Attributes, expand
from pytwfix.deliver.pipe.content import render
from pytwfix.deliver.pipe.settings import PipeSettings
from pytwfix.deliver.statusfilter import StatusFilter, status_filter
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.status import DELIVERED, RELAYED, Dsn
from pytwfix.tables.addresses import external_form, split_extension

CONFIGURATION_ERROR = Dsn("4.3.5", "mail system configuration error")


class Delivery:
    """All recipients of one request."""

    def __init__(
        self,
        host: IHost,
        request: DeliveryRequest,
        accounts: Accounts,
        attributes: Attributes | None,
        trouble: str,
    ) -> None:
        self._host = host
        self._request = request
        self._accounts = accounts
        self._attributes = attributes
        self._trouble = trouble
        self._cfg = host.settings(PipeSettings)
        self._body: bytes | None = None

    async def run(self) -> DeliveryResult:
        recipients = self._request.recipients
        async with mailbox.opened(self._host, self._request) as message:
            outcome = Outcome(self._host, self._request, self._statuses())
            if self._attributes is not None and self._attributes.flags & {"D", "O"}:
                for recipient in recipients:
                    await self._deliver(message, [recipient], outcome)
            elif recipients:
                await self._deliver(message, recipients, outcome)
        return outcome.result

    def _statuses(self) -> StatusFilter | None:
        return status_filter(self._host, self._cfg.pipe_delivery_status_filter, "pipe_delivery_status_filter")

    async def _deliver(self, message: IMessage, recipients: Sequence[Recipient], outcome: Outcome) -> None:
        try:
            if self._attributes is None:
                raise ArgumentError(self._trouble)
            dsn = await self._attempt(message, self._attributes, recipients)
        except ArgumentError as error:
            log.bad_service(self._host.log, self._cfg.config_directory, self._host.service, str(error))
            dsn = CONFIGURATION_ERROR
        for recipient in recipients:
            await self._report(recipient, dsn, outcome)

    async def _report(self, recipient: Recipient, dsn: Dsn, outcome: Outcome) -> None:
        relay, times = self._host.service, self._request.times
        if dsn.success:
            await outcome.sent(recipient, dsn, relay, times)
        elif dsn.permanent:
            await outcome.bounced(recipient, dsn, relay, times)
        else:
            await outcome.deferred(recipient, dsn, relay, times)

    async def _attempt(self, message: IMessage, attributes: Attributes, recipients: Sequence[Recipient]) -> Dsn:
        who = await self._identity(attributes)
        if attributes.size and self._request.envelope.size > attributes.size:
            return Dsn("5.2.3", "message too large")
        if self._request.flags & VERIFY_ONLY:
            return Dsn("2.0.0", f"delivers to command: {attributes.argv[0]}")
        if self._body is None:
            self._body = await mailbox.content(message)
        body = self._body
        recipient = self._folded(attributes, recipients[0].address)
        if "D" in attributes.flags and external_form(recipient).lower() in mailbox.delivered_to(body):
            return Dsn("5.4.6", f"mail forwarding loop for {mailbox.printable(external_form(recipient))}")
        original = external_form(recipients[0].original) if self._cfg.enable_original_recipient else b""
        sender = external_form(self._request.envelope.sender)
        delivered = external_form(recipients[0].address)
        data = render(attributes, body, sender, original, delivered, self._host.now())
        return await self._run(attributes, who, self._arguments(attributes, recipients), data)

    async def _identity(self, attributes: Attributes) -> Identity:
        """The user and group of the line; ArgumentError when they do not exist or are too mighty."""
        account = await self._accounts.find(attributes.user)
        if account is None:
            raise ArgumentError(f"unknown username: {attributes.user}")
        gid: int | None = account.gid
        if attributes.group:
            gid = await self._host.threads.run(group_id, attributes.group)
            if gid is None:
                raise ArgumentError(f"unknown group: {attributes.group}")
        if account.uid == 0:
            raise ArgumentError("user= command-line attribute specifies root privileges")
        owner = await self._accounts.find(self._cfg.mail_owner)
        if owner is not None and owner.uid == account.uid and not self._host.peers.asuser.one_user:
            raise ArgumentError(f"user= command-line attribute specifies mail system owner {self._cfg.mail_owner}")
        if gid == 0:
            raise ArgumentError("user= command-line attribute specifies privileged group id 0")
        return Identity(account.uid, gid or 0)

    def _folded(self, attributes: Attributes, address: bytes) -> bytes:
        """Flags h and u: domain and local part in lower case."""
        local, at, domain = address.rpartition(b"@")
        if not at:
            local, domain = address, b""
        return (
            (local.lower() if "u" in attributes.flags else local)
            + at
            + (domain.lower() if "h" in attributes.flags else domain)
        )

    # --- arguments

    def _arguments(self, attributes: Attributes, recipients: Sequence[Recipient]) -> list[str]:
        envelope = self._request.envelope
        client = envelope.client
        nexthop = self._request.nexthop
        sender = envelope.sender
        message = {
            "sender": self._shown(attributes, sender) if sender else attributes.null_sender,
            "nexthop": nexthop.lower() if "h" in attributes.flags else nexthop,
            "size": str(envelope.size),
            "queue_id": self._request.queue_id,
            "envid": _text(envelope.dsn_envid),
            "client_address": client.address,
            "client_helo": client.helo,
            "client_hostname": client.name,
            "client_port": client.port,
            "client_protocol": client.protocol,
            "sasl_method": client.sasl_method,
            "sasl_sender": client.sasl_sender,
            "sasl_username": client.sasl_username,
        }
        return expand(attributes.argv, message, [self._recipient(attributes, one) for one in recipients])

    def _recipient(self, attributes: Attributes, recipient: Recipient) -> dict[str, str]:
        address = self._folded(attributes, recipient.address)
        local, at, domain = address.rpartition(b"@")
        if not at:
            local, domain = address, b""
        user, extension = split_extension(local, self._cfg.recipient_delimiter.encode())
        return {
            "recipient": self._shown(attributes, address),
            "original_recipient": self._shown(attributes, self._folded(attributes, recipient.original)),
            "user": _text(user),
            "extension": _text(extension[1:]),
            "mailbox": _text(local),
            "domain": _text(domain),
        }

    def _shown(self, attributes: Attributes, address: bytes) -> str:
        return _text(external_form(address) if "q" in attributes.flags else address)

    # --- the command

    async def _run(self, attributes: Attributes, who: Identity, argv: list[str], data: bytes) -> Dsn:
        cfg = self._cfg
        request = CommandRun(
            argv,
            commands.environment(cfg.export_environment, cfg.import_environment, {}, cfg.config_directory),
            data,
            time_limit=self._time_limit(),
            directory=attributes.directory,
            chroot=attributes.chroot,
            output_limit=commands.OUTPUT_LIMIT,
        )
        try:
            result = await self._host.peers.asuser.run(who, request)
        except AsUserError as error:
            if not error.text.startswith((commands.CHDIR, commands.CHROOT)):
                error = AsUserError(error.kind, f"pipe_command: {error.text}")
            log.not_run(self._host.log, commands.complaint(error, who, attributes.directory))
            return commands.not_run(error, "pipe")
        if result.timed_out:
            log.time_limit(self._host.log)
        if false := commands.false_success(result):
            outcome_log.false_success(self._host.log, false)
        dsn = commands.verdict(result, attributes.argv[0])
        if not dsn.success:
            return dsn
        output = f" ({dsn.reason})" if dsn.reason else ""
        action = DELIVERED if "X" in attributes.flags else RELAYED
        return Dsn("2.0.0", f"delivered via {self._host.service} service{output}", action)

    def _time_limit(self) -> float:
        own = self._host.parameter(f"{self._host.service}_time_limit")
        return float(parse_duration(own)) if own else float(self._cfg.command_time_limit)


def _text(value: bytes) -> str:
    """For argument lists: bytes that are not UTF-8 travel as surrogates and come out as they were."""
    return value.decode("utf-8", "surrogateescape").replace("\0", "")
