"""A mail in the hands of filters: contracts/milters.py's IFilteredMail (MI-3, MI-6, MI-8, CL-10).

Header fields are counted as filters count them: a place is among all fields, but the N-th of a name is one of those
that they were shown; our own Received: field is not.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from pytwfix.basics.tasks import start
from pytwfix.cleanup import log, milteraddresses
from pytwfix.cleanup.headers import fields_of, name_of
from pytwfix.cleanup.held import Held, Spool
from pytwfix.cleanup.milterchecks import MilterChecks
from pytwfix.cleanup.sequence import Waiting, settled
from pytwfix.dialogs import milter as wire
from pytwfix.dialogs.milter import Edit
from pytwfix.mail.envelope import SMTPUTF8_HEADER
from pytwfix.mail.errors import MailError
from pytwfix.mail.reply import Reply

if TYPE_CHECKING:
    from pytwfix.cleanup.transaction import Transaction

_TOO_BIG = Reply(552, "5.3.4", "Error: message file too big")
_FOLD = re.compile(rb"\n(?![ \t])")
_HEADERS = (wire.ADD_HEADER, wire.INSERT_HEADER, wire.CHANGE_HEADER)


class FilteredMail:
    """`held` is the content; `leading_space` says whether values of the filter at work begin with their space."""

    def __init__(self, mail: Transaction, held: Held) -> None:
        self._mail = mail
        self._held = held
        self._fields = [*fields_of(held.header)]
        self._checks = MilterChecks(mail)
        self._body: Spool | None = None  # a new one
        self._own: bytes | None = None  # our own Received:, which is there once and is shown to nobody
        self._changed = False
        self.log = mail.log
        self.leading_space = False
        for field in self._fields:
            if name_of(field) == b"received":
                self._own = field
                break

    # -- what filters see ------------------------------------------------------------------------------------------

    def fields(self) -> list[tuple[bytes, bytes]]:
        out: list[tuple[bytes, bytes]] = []
        for field in self._fields:
            if field is self._own:
                continue
            name, colon, value = field.partition(b":")
            if colon:
                out.append((name.rstrip(b" \t"), value.removesuffix(b"\r\n").replace(b"\r\n", b"\n")))
        return out

    def body(self, size: int) -> AsyncIterator[bytes]:
        return self._held.body.pieces(size)

    # -- what they change ------------------------------------------------------------------------------------------

    def edit(self, edit: Edit) -> Waiting:
        kind = edit.kind
        if kind == wire.REPLACE_BODY:
            return self._replace(edit.value)
        if kind in _HEADERS:
            if not edit.value and kind == wire.CHANGE_HEADER:
                self._delete(edit)
                return None
            if self._mail.config.milter_header_checks:
                return settled(start(self._checked(edit)))
            self._place(edit, self._line(edit))
            return None
        return milteraddresses.edit(self._mail, edit)

    def _replace(self, data: bytes) -> Waiting:
        if self._body is None:
            self._body = Spool(self._mail.host)
        limit = self._mail.config.size_limit
        if limit and self._body.size + len(data) > limit:
            log.size(self._mail.log, self._mail.queue_id)
            raise MailError(_TOO_BIG)
        return self._body.write(data)

    def replaced(self, kept: bool) -> None:
        body, self._body = self._body, None
        if body is None:
            return
        if kept:
            self._changed = True
            self._held.replace(body)
        else:
            body.close()

    async def _checked(self, edit: Edit) -> None:
        line = await self._checks.field(self._line(edit))
        if line is not None:
            self._place(edit, line)

    def _line(self, edit: Edit) -> bytes:
        """The field, with LF between its lines and none at its end."""
        value = edit.value.replace(b"\r\n", b"\n").replace(b"\r", b"")
        space = b"" if self.leading_space else b" "
        return edit.name + b":" + space + _FOLD.sub(b"\n\t", value.rstrip(b"\n"))

    def _place(self, edit: Edit, line: bytes) -> None:
        field = line.replace(b"\n", b"\r\n") + b"\r\n"
        if not field.isascii() and self._mail.config.utf8:
            self._mail.envelope.sendopts |= SMTPUTF8_HEADER
        if edit.kind == wire.INSERT_HEADER:
            self._fields.insert(edit.place, field)
        else:
            found = self._find(edit) if edit.kind == wire.CHANGE_HEADER else -1
            if found < 0:
                self._fields.append(field)
            else:
                self._fields[found] = field
        self._changed = True

    def _delete(self, edit: Edit) -> None:
        found = self._find(edit)
        if found >= 0:
            del self._fields[found]
            self._changed = True

    def _find(self, edit: Edit) -> int:
        """The N-th field of that name, from 1; -1: there is none."""
        name, left = edit.name.lower(), max(1, edit.place)
        for place, field in enumerate(self._fields):
            if field is self._own or name_of(field) != name:
                continue
            left -= 1
            if not left:
                return place
        return -1

    # -- what comes of it ------------------------------------------------------------------------------------------

    def header(self) -> bytes:
        """The header as it is now, with the empty line if a body follows."""
        return b"".join(self._fields) + (b"\r\n" if self._held.separated else b"")
