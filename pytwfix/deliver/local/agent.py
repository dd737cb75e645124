"""One recipient: aliases, then .forward, then the mailbox (LO-1, LO-3, AL-1 to AL-5).

`run` expands the recipient until every address has come to an end, forwards what belongs elsewhere, and tells whether
the recipient has to stay in the queue.
"""

from __future__ import annotations

from pytwfix.contracts.asuser import Identity
from pytwfix.contracts.delivery import VERIFY_ONLY, DeliveryRequest
from pytwfix.contracts.host import IHost
from pytwfix.contracts.queue import IMessage
from pytwfix.contracts.rewriting import ERROR, FAILED
from pytwfix.contracts.tables import TableError
from pytwfix.deliver import mailbox
from pytwfix.deliver.accounts import Account, Accounts, by_uid
from pytwfix.deliver.local import forwardfile, includes, log, transports
from pytwfix.deliver.local.aliases import ADDRESS, COMMAND, FILE, INCLUDE, Item, parse
from pytwfix.deliver.local.biff import Biff
from pytwfix.deliver.local.destinations import Destinations
from pytwfix.deliver.local.forwarding import Forwarding
from pytwfix.deliver.local.lookup import Alias, Aliases
from pytwfix.deliver.local.report import CONFIGURATION_ERROR, Ledger
from pytwfix.deliver.local.settings import LocalSettings
from pytwfix.deliver.local.target import Expansion, Target
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.errors import MailError
from pytwfix.mail.status import RELAYED, Dsn
from pytwfix.tables.addresses import external_form

DEEPEST = 100
NESTING = Dsn("5.4.6", "recipient nesting limit exceeded")
ALIASES_DOWN = Dsn("4.3.0", "alias database unavailable")
LOOKUP_FAILED = Dsn("4.3.0", "table lookup failure")


class Attempt:
    """See the module."""

    def __init__(
        self,
        host: IHost,
        request: DeliveryRequest,
        message: IMessage,
        recipient: Recipient,
        accounts: Accounts,
        aliases: Aliases,
        biff: Biff,
    ) -> None:
        self.host = host
        self.request = request
        self.recipient = recipient
        self.accounts = accounts
        self.cfg = host.settings(LocalSettings)
        self.ledger = Ledger(host, request, message, recipient)
        self.destinations: Destinations
        self._message = message
        self._aliases = aliases
        self._biff = biff
        self._forwarding = Forwarding(host, request, recipient)
        self._seen: set[tuple[str, bytes]] = set()
        self._body = b""
        self._visited: set[bytes] = set()

    async def run(self) -> bool:
        """True: the recipient is to be tried again."""
        top = self.recipient
        self._body = await mailbox.content(self._message)
        self._visited = mailbox.delivered_to(self._body)
        self.destinations = Destinations(self.host, self.request, self._body, self._biff)
        delimiter = self.cfg.recipient_delimiter.encode()
        target = Target(top.address, top.original or top.address, self.request.envelope.sender, delimiter)
        await self.deliver(target)
        if not self.ledger.deferred:
            await self._forward(target)
        if not self.ledger.settled:
            # All that it names leads back to itself.
            text = f"mail forwarding loop for {mailbox.printable(external_form(top.address))}"
            await self.ledger.settle(target, Dsn("5.4.6", text))
        return self.ledger.finish()

    def first_time(self, kind: str, key: bytes) -> bool:
        """Whether this was not delivered to before; the memory is as large as duplicate_filter_limit (AL-2)."""
        if (kind, key) in self._seen:
            return False
        if not self.cfg.duplicate_filter_limit or len(self._seen) < self.cfg.duplicate_filter_limit:
            self._seen.add((kind, key))
        return True

    def delivered_to(self, target: Target) -> bytes:
        """What Delivered-To says: the recipient as it came, or (frozen_delivered_to = no) what it was expanded to."""
        return external_form(self.recipient.address if self.cfg.frozen_delivered_to else target.address)

    # --- an address

    async def deliver(self, target: Target) -> None:
        """Aliases, then the user of this name."""
        if b"/" in target.extension:
            log.bad_extension(self.host.log, self.request.queue_id, mailbox.printable(target.local))
            target.extension = target.found_delimiter = b""
        if target.level > DEEPEST:
            await self.ledger.settle(target, NESTING)
            return
        if not target.user:
            text = f'null username in "{mailbox.printable(target.address)}"'
            await self.ledger.settle(target, Dsn("5.1.3", text))
            return
        if self.delivered_to(target).lower() in self._visited:
            shown = mailbox.printable(self.delivered_to(target))
            await self.ledger.settle(target, Dsn("5.4.6", f"mail forwarding loop for {shown}"))
            return
        if not target.mailbox_only and await self._alias(target):
            return
        await self._user(target)

    async def _alias(self, target: Target) -> bool:
        """Whether it was an alias, and everything about it is done."""
        try:
            alias = await self._aliases.find(target.user, target.local[len(target.user) :])
        except TableError:
            await self.ledger.settle(target, ALIASES_DOWN)
            return True
        if alias is None or alias.name in target.aliases[-1:]:
            return False  # `name: name` is the user of that name
        if alias.name in target.aliases:
            await self._ring(target, alias.name)
            return True
        if self.first_time("alias", alias.name):
            await self._expand_alias(target, alias)
        return True

    async def _ring(self, target: Target, name: bytes) -> None:
        """Aliases that lead back to one of themselves. Postfix goes round to its nesting limit and names the alias at
        which it is then: the same name is told here."""
        start = target.aliases.index(name)
        ring = target.aliases[start:]
        shown = mailbox.printable(ring[(DEEPEST + 1 - start) % len(ring)])
        place: Target = target
        while place.parent is not None and mailbox.printable(place.user) != shown:
            place = place.parent
        log.alias_loop(self.host.log, shown)
        await self.ledger.settle(place, Dsn("5.4.6", f"alias database loop for {shown}"))

    async def _expand_alias(self, target: Target, alias: Alias) -> None:
        items = parse(alias.value)
        if not items:
            log.empty_alias(self.host.log, mailbox.printable(alias.name))
            await self.ledger.settle(target, ALIASES_DOWN)
            return
        try:
            owner = await self._owner(alias.name, target)
        except TableError:
            await self.ledger.settle(target, ALIASES_DOWN)
            return
        inner = target.child(target.address)
        inner.aliases += (alias.name,)
        inner.parent = target
        if owner is not None:
            inner.sender, inner.owned, inner.indirect, inner.original = owner, True, False, b""
        elif inner.owned and self.cfg.reset_owner_alias:
            inner.owned = False
        direct = not (inner.owned or inner.indirect)
        expansion = Expansion(inner, "alias", await self.identity(alias.owner), direct)
        if not alias.extended:
            expansion.append = self._propagated(target, "alias")
        await self.ledger.expanded(owner is not None)
        await self.items(items, expansion)

    async def _owner(self, name: bytes, target: Target) -> bytes | None:
        """The sender of mail to a list: owner-name, when there is such an alias (LO-2). In the letters in which another
        alias names the list."""
        if not self.cfg.owner_request_special:
            return None
        found = await self._aliases.find(b"owner-" + name)
        if found is None:
            return None
        written = target.address[: len(name)]
        address = b"owner-" + (written if target.level and written.lower() == name else name)
        if self.cfg.expand_owner_alias:
            items = parse(found.value)
            if len(items) == 1 and items[0].kind == ADDRESS:
                address = items[0].value
        return await self.host.peers.rewriter.rewrite("local", address)

    async def identity(self, uid: int) -> Identity | None:
        """The rights of a file's owner; default_privs for root and for who has no account."""
        account = await self.host.threads.run(by_uid, uid) if uid else None
        if account is None:
            account = await self.accounts.find(self.cfg.default_privs)
        if account is None or account.uid == 0:
            log.bad_privileges(self.host.log, self.cfg.default_privs)
            return None
        return Identity(account.uid, account.gid)

    def _propagated(self, target: Target, context: str) -> bytes:
        contexts = self.cfg.propagate_unmatched_extensions.replace(",", " ").split()
        return target.found_delimiter + target.extension if target.extension and context in contexts else b""

    # --- items of an alias, an :include: file, a .forward

    async def lines(self, lines: list[list[Item]], expansion: Expansion) -> None:
        """Those of a file, up to one of which something has to be done again."""
        before = self.ledger.deferred
        for line in lines:
            await self.items(line, expansion)
            if self.ledger.deferred > before:
                return

    async def items(self, items: list[Item], expansion: Expansion) -> None:
        """All of them, even when one has to be done again, as Postfix does: nobody waits for another's command."""
        for item in items:
            await self._item(item, expansion)

    async def _item(self, item: Item, expansion: Expansion) -> None:
        if item.kind == ADDRESS:
            await self._address(item.value, expansion)
        elif item.kind == COMMAND:
            await self._command(item.value, expansion)
        elif item.kind == FILE:
            await self._file(item.value, expansion)
        elif item.kind == INCLUDE:
            await includes.expand(self, item.value, expansion)

    async def _address(self, value: bytes, expansion: Expansion) -> None:
        target = expansion.target
        if expansion.append:
            local, at, domain = value.rpartition(b"@")
            value = (local if at else value) + expansion.append + at + domain if at else value + expansion.append
        address = await self.host.peers.rewriter.rewrite("local", value)
        resolved = await self.host.peers.rewriter.resolve(target.sender, address)
        if resolved.flags & FAILED:
            await self.ledger.settle(target.child(address), Dsn("4.3.0", "address resolver failure"))
            return
        if resolved.flags & ERROR:
            text = f"bad recipient address syntax: {mailbox.printable(resolved.recipient)}"
            await self.ledger.settle(target, Dsn("5.1.3", text), faulty=True)
            return
        here = resolved.transport == self.request.transport
        # Here `\user` is this user's mailbox, without alias or .forward.
        plain = here and resolved.recipient.startswith(b"\\")
        child = target.child(resolved.recipient[plain:], plain)
        if not (here and await self._here(child, expansion)):
            await self._elsewhere(target, resolved.recipient)

    async def _here(self, child: Target, expansion: Expansion) -> bool:
        """Whether a local address is done with, not one for a new mail: another alias always is. A user gets a new
        mail as the member of a list, and when another user's file names him, whose rights are not his."""
        forward = expansion.context == "forward"
        if not expansion.direct or (forward and child.user not in expansion.target.forwards[-1:]):
            child.indirect = not child.owned
            return await self._alias(child)
        await self.deliver(child)
        return True

    async def _elsewhere(self, target: Target, address: bytes) -> None:
        """Into a new message; only told when nothing is to be delivered."""
        new = self._forwarding.add(target, address)
        if new and self.request.flags & VERIFY_ONLY:
            text = f"forwards to {mailbox.printable(external_form(address))}"
            await self.ledger.settle(target.child(address), Dsn("2.0.0", text))

    async def _command(self, value: bytes, expansion: Expansion) -> None:
        target = expansion.target
        if not self._allowed(self.cfg.allow_mail_to_commands, expansion.context):
            await self.ledger.settle(target, Dsn("5.7.1", "mail to command is restricted"), faulty=True)
        elif expansion.who is None:
            await self.ledger.settle(target, CONFIGURATION_ERROR)
        elif self.first_time("command", b"%s %d %s" % (target.user, expansion.who.uid, value)):
            account = await self._account_of(expansion)
            text = value.decode("utf-8", "surrogateescape").replace("\0", "")
            dsn = await self.destinations.command(target, text, expansion.who, self.delivered_to(target), account)
            await self.ledger.settle(target, dsn)

    async def _file(self, value: bytes, expansion: Expansion) -> None:
        target = expansion.target
        if not self._allowed(self.cfg.allow_mail_to_files, expansion.context):
            await self.ledger.settle(target, Dsn("5.7.1", "mail to file is restricted"), faulty=True)
        elif expansion.who is None:
            await self.ledger.settle(target, CONFIGURATION_ERROR)
        elif self.first_time("file", value):
            path = await self._path(value.decode("utf-8", "surrogateescape").replace("\0", ""), expansion)
            if path is None:
                await self.ledger.settle(target, CONFIGURATION_ERROR, faulty=True)
                return
            dsn = await self.destinations.file(target, path, expansion.who, self.delivered_to(target))
            await self.ledger.settle(target, dsn, faulty=path.endswith("/"))

    async def _path(self, name: str, expansion: Expansion) -> str | None:
        """`~/file` is below the home of the user whose .forward names it; None, which is logged: there is no such."""
        if not name.startswith("~"):
            return name
        if not name.startswith("~/"):
            log.bad_home_syntax(self.host.log, name)
            return None
        account = await self._account_of(expansion)
        if account is None:
            log.unknown_home(self.host.log, name)
            return None
        return account.home + name[1:]

    def _allowed(self, contexts: str, context: str) -> bool:
        return context in contexts.replace(",", " ").split()

    async def _account_of(self, expansion: Expansion) -> Account | None:
        """A .forward has a user; an alias has none."""
        if expansion.context != "forward":
            return None
        return await self.accounts.find(mailbox.printable(expansion.target.user))

    # --- a user

    async def _user(self, target: Target) -> None:
        account = await self.accounts.find(mailbox.printable(target.user))
        if account is not None and not target.mailbox_only and target.user not in target.forwards:
            new = self.first_time("user", target.local.lower())
            if not new or await forwardfile.expand(self, target, account):
                return
        try:
            if self.first_time("luser" if target.relayed else "mailbox", target.local.lower()):
                await transports.mailbox(self, target, account)
        except TableError:
            await self.ledger.settle(target, LOOKUP_FAILED)

    async def relay_unknown(self, target: Target, address: bytes) -> None:
        """luser_relay."""
        inner = target.child(target.address)
        inner.relayed = True
        await self._address(address, Expansion(inner, "luser", None))

    # --- the rest of the way

    async def _forward(self, top: Target) -> None:
        if self.request.flags & VERIFY_ONLY:
            return
        for sender in self._forwarding.senders:
            forward = self._allowed(self.cfg.prepend_delivered_header, "forward")
            header = self.recipient.address.lower().replace(b"\n", b" ") if forward else b""
            try:
                queue_id = await self._forwarding.send(sender, header, self._body)
            except MailError as error:
                log.forwarding(self.host.log, self.request.queue_id, error.reason or error.reply.line())
                await self.ledger.settle(top, Dsn("4.3.0", "error forwarding message"))
            else:
                await self.ledger.settle(top, Dsn("2.0.0", f"forwarded as {queue_id}", RELAYED))
