"""One filter in one session: what it is told, what its answers mean, and what sticks (MI-3, MI-4).

What it says of a connection (reject, accept, a failure of its own) holds until the session ends, what it says of a mail
until the mail ends. A filter that fails is not asked again: its default action answers in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.milters import HOLD, IFilteredMail, IMacros, Verdict
from pytwfix.dialogs import milter as wire
from pytwfix.dialogs.milter import Agreement, MilterError
from pytwfix.mail.errors import MailError
from pytwfix.net.milter import log
from pytwfix.net.milter.connection import FilterGone, MilterConnection, connect
from pytwfix.net.milter.verdicts import DEFAULTS, DISCARDED, HELD, LATER, MISCONFIGURED, refusal

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.net.milter.filters import Filter
    from pytwfix.net.milter.macros import MacroLists

_OF_CONNECTION = (wire.CONNECT, wire.HELO)


class MilterFilter:
    """`macros` has the values of this session's macros."""

    __slots__ = (
        "_accepted", "_agreement", "_asked", "_connection", "_filter", "_host", "_lists", "_log", "_macros", "_mailing",
        "_over", "_replacing", "_skip_body", "_verdict",
    )  # fmt: skip

    def __init__(self, host: IHost, to: Filter, lists: MacroLists, macros: IMacros) -> None:
        self._host = host
        self._log = host.log
        self._filter = to
        self._lists = lists
        self._macros = macros
        self._connection: MilterConnection | None = None
        self._agreement: Agreement | None = None
        self._over = False  # it is asked nothing more in this session: `_verdict` holds
        self._verdict: Verdict | None = None
        self._accepted = False  # it is asked nothing more about this mail
        self._asked = b""  # the command under way in a mail's content
        self._mailing = False
        self._replacing = False
        self._skip_body = False

    @property
    def agreement(self) -> Agreement | None:
        """None: not connected, or failed."""
        return self._agreement if not self._over else None

    # -- life ------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and negotiate. A failure is logged and sticks."""
        to = self._filter
        try:
            self._connection = connection = await connect(self._host, to)
        except FilterGone as error:
            log.unreachable(self._log, to.name, str(error))
            self._stop(DEFAULTS[to.default_action])
            return
        except Exception as error:
            log.unreachable(self._log, to.name, str(error))
            self._stop(DEFAULTS[to.default_action])
            return
        try:
            await self._send(wire.offer(to.protocol), to.command_timeout)
            self._agreement = wire.agree(to.protocol, await connection.packet(to.command_timeout))
        except (FilterGone, MilterError) as error:
            self._failed(wire.NEGOTIATE, error)
            if isinstance(error, FilterGone):
                log.broken(self._log, to.name, "read error in initial handshake")

    def abort(self) -> None:
        """The mail has ended."""
        if self._mailing and self._connection is not None and not self._over:
            self._connection.send(wire.packet(wire.ABORT), self._filter.command_timeout)
        self._mailing = False
        self._accepted = False

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.send(wire.packet(wire.QUIT), self._filter.command_timeout)
            connection.close()
        self._stop(self._verdict)

    def _stop(self, verdict: Verdict | None) -> None:
        self._over, self._verdict = True, verdict

    def _failed(self, command: bytes, error: FilterGone | MilterError) -> Verdict | None:
        """What is left of it is the default action."""
        name = self._filter.name
        verdict = DEFAULTS[self._filter.default_action]
        if isinstance(error, FilterGone):
            what = wire.COMMAND_NAMES[command]
            log.broken(self._log, name, f"can't read {what} reply packet header: {error}")
        else:
            log.broken(self._log, name, error.text)
            if error.ours and verdict is LATER:
                verdict = MISCONFIGURED
        if self._connection is not None:
            self._connection.abort()
            self._connection = None
        self._stop(verdict)
        return verdict

    # -- events ----------------------------------------------------------------------------------------------------

    def wants(self, command: bytes) -> bool:
        """Whether the filter has to be asked; else `standing` is its answer."""
        return not self._over and not self._accepted and self._agreement is not None and self._agreement.wants(command)

    @property
    def standing(self) -> Verdict | None:
        return self._verdict if self._over else None

    async def event(self, command: bytes, data: bytes) -> Verdict | None:
        """Tell the filter; its verdict or None."""
        if command == wire.MAIL:
            self._mailing = True
        try:
            return self._meaning(command, await self._ask(command, data, self._filter.command_timeout))
        except (FilterGone, MilterError) as error:
            return self._failed(command, error)

    def begin_mail(self) -> None:
        self._mailing = True
        self._accepted = False

    async def _send(self, data: bytes, timeout: float) -> None:
        assert self._connection is not None
        waiting = self._connection.send(data, timeout)
        if waiting is not None:
            await waiting

    def _before(self, command: bytes) -> bytes:
        """The macros that go before a command."""
        assert self._agreement is not None
        return self._lists.packet(command, self._agreement, self._macros)

    async def _ask(self, command: bytes, data: bytes, timeout: float) -> bytes:
        """The reply; `continue` of a filter that does not answer this command."""
        connection, agreement = self._connection, self._agreement
        assert connection is not None and agreement is not None
        self._asked = command
        waiting = connection.send(self._before(command) + wire.packet(command, data), timeout)
        if waiting is not None:
            await waiting
        if not agreement.answers(command):
            return wire.CONTINUE
        return await _past_progress(connection, await connection.packet(timeout), timeout)

    def _meaning(self, command: bytes, reply: bytes) -> Verdict | None:
        """Of a reply that ends the event. MilterError."""
        kind = reply[:1]
        if kind == wire.CONTINUE:
            return None
        if kind == wire.SKIP:
            self._skip_body = command == wire.BODY
            return None
        if kind == wire.ACCEPT:
            if command in _OF_CONNECTION:
                self._stop(None)
            else:
                self._accepted = True
            return None
        if kind == wire.DISCARD:
            return self._discard(command)
        verdict = refusal(command, reply)
        if command in _OF_CONNECTION or (verdict.reply is not None and verdict.reply.code == 421):
            self._stop(verdict)
        elif command not in (wire.RCPT, wire.UNKNOWN):
            self._accepted = True
        return verdict

    def _discard(self, command: bytes) -> Verdict | None:
        if command in _OF_CONNECTION:
            log.broken(self._log, self._filter.name, "DISCARD action is not allowed for connect or helo")
            return None
        self._accepted = True
        return DISCARDED

    # -- content ---------------------------------------------------------------------------------------------------

    async def message(self, mail: IFilteredMail) -> Verdict | None:
        """Show the filter the whole mail, make its edits, and give its verdict."""
        self._asked = wire.HEADER
        mail.leading_space = self._agreement is not None and self._agreement.leading_space
        self._log = mail.log
        self._skip_body = self._replacing = False
        try:
            try:
                await self._header(mail)
                await self._body(mail)
                verdict = await self._end(mail)
            except _Decided as decided:
                verdict = decided.verdict
        except (FilterGone, MilterError) as error:
            if self._replacing:
                self._replacing = False
                mail.replaced(False)
                return self._failed_in_body(error)
            return self._failed(self._asked, error)
        except MailError:
            raise
        except BaseException:
            self._leave()
            raise
        if self._replacing:
            mail.replaced(verdict is None or verdict.kind == HOLD)
        return verdict

    def _leave(self) -> None:
        """Something of ours went wrong in the middle of an answer: the rest of it is not waited for."""
        if self._connection is not None:
            self._connection.abort()
            self._connection = None
        self._stop(DEFAULTS[self._filter.default_action])

    def _failed_in_body(self, error: FilterGone | MilterError) -> Verdict | None:
        """Half a body is no body: accept cannot mean what it says, and the mail is tried again later."""
        return self._failed(self._asked, error) or LATER

    async def _header(self, mail: IFilteredMail) -> None:
        """Its fields, all with the same macros before them, and its end."""
        agreement, connection, timeout = self._agreement, self._connection, self._filter.content_timeout
        assert agreement is not None and connection is not None
        said: list[tuple[bytes, bytes]] = []
        if agreement.wants(wire.HEADER):
            before = self._before(wire.HEADER)
            for name, value in mail.fields():
                text = value if agreement.leading_space else value.lstrip(b" \t")
                said.append((wire.HEADER, before + wire.packet(wire.HEADER, wire.strings(name, text))))
        if agreement.wants(wire.END_OF_HEADER):
            said.append((wire.END_OF_HEADER, self._before(wire.END_OF_HEADER) + wire.packet(wire.END_OF_HEADER)))
        commands, requests, rest = _requests(said, agreement)
        if requests:
            try:
                reply = await connection.exchange(requests, timeout)
            finally:
                self._asked = commands[connection.said - 1]
            self._decided(self._asked, await _past_progress(connection, reply, timeout))
        if rest:
            await self._send(rest, timeout)

    def _decided(self, command: bytes, reply: bytes) -> None:
        """_Decided unless it goes on."""
        if reply == wire.CONTINUE:
            return
        verdict = self._meaning(command, reply)
        if verdict is not None or self._accepted or self._over:
            raise _Decided(verdict)

    async def _body(self, mail: IFilteredMail) -> None:
        assert self._agreement is not None
        if not self._agreement.wants(wire.BODY):
            return
        async for piece in mail.body(wire.CHUNK):
            self._decided(wire.BODY, await self._ask(wire.BODY, piece, self._filter.content_timeout))
            if self._skip_body:
                return

    async def _end(self, mail: IFilteredMail) -> Verdict | None:
        """Edits, as many as there are, then the verdict. A quarantine holds, whatever else is well."""
        timeout, command = self._filter.content_timeout, wire.END_OF_BODY
        connection = self._connection
        held: Verdict | None = None
        refused: MailError | None = None
        reply = await self._ask(command, b"", timeout)
        while True:
            edit = wire.read_edit(reply)
            if edit is None and reply[:1] != wire.PROGRESS:
                verdict = self._meaning(command, reply) or held
                if refused is not None:
                    raise refused
                return verdict
            if edit is not None and edit.kind == wire.QUARANTINE:
                held = HELD
            elif edit is not None and refused is None:
                self._mixing(edit)
                refused = await self._edit(mail, edit)
            assert connection is not None
            reply = await connection.packet(timeout)

    @staticmethod
    async def _edit(mail: IFilteredMail, edit: wire.Edit) -> MailError | None:
        """What is wrong with the mail now; the filter is heard to its end all the same."""
        try:
            waiting = mail.edit(edit)
            if waiting is not None:
                await waiting
        except MailError as error:
            return error
        return None

    def _mixing(self, edit: wire.Edit) -> None:
        """The pieces of a new body come one after the other."""
        if edit.kind == wire.REPLACE_BODY:
            self._replacing = True
        elif self._replacing:
            raise MilterError("body replacement requests can't currently be mixed with other requests", ours=True)


async def _past_progress(connection: MilterConnection, reply: bytes, timeout: float) -> bytes:
    """The filter is at work as long as it says so."""
    while reply[:1] == wire.PROGRESS:
        reply = await connection.packet(timeout)
    return reply


def _requests(said: list[tuple[bytes, bytes]], agreement: Agreement) -> tuple[list[bytes], list[bytes], bytes]:
    """What is said in one go, up to a command that is answered: these commands, the bytes that end with each, and what
    is behind the last."""
    commands: list[bytes] = []
    requests: list[bytes] = []
    silent: list[bytes] = []
    for command, data in said:
        silent.append(data)
        if agreement.answers(command):
            commands.append(command)
            requests.append(b"".join(silent))
            silent = []
    return commands, requests, b"".join(silent)


class _Decided(Exception):
    """The filter has decided before the end."""

    def __init__(self, verdict: Verdict | None) -> None:
        super().__init__()
        self.verdict = verdict
