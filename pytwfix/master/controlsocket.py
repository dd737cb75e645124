"""The sockets of contracts/control.py: one JSON line in, JSON lines out, the last with "ok".

A client that sends too much, too slowly or nothing at all is cut off. A listing is read in a thread and sent piece by
piece as fast as the client takes it.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from twisted.internet.protocol import Factory

from pytwfix.mail.errors import MailError
from pytwfix.master.outflow import Outflow

if TYPE_CHECKING:
    from pytwfix.master.control import Control
    from pytwfix.master.host import ServiceHost

_LINE_LIMIT = 1 << 20
_PATIENCE = 60.0
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes one for each call
_PIECE = 200  # messages of a listing that are read together
_NOPERM, _TEMPFAIL, _UNAVAILABLE, _DATAERR = 77, 75, 69, 65


def factory(host: ServiceHost, control: Control, private: bool) -> Factory:
    """`private` for the socket that only root and mail_owner can reach."""
    made: Any = Factory()
    made.noisy = False
    made.buildProtocol = lambda _address: ControlConnection(host, control, private)
    return made  # type: ignore[no-any-return]


class ControlConnection(Outflow):
    """One question."""

    def __init__(self, host: ServiceHost, control: Control, private: bool) -> None:
        super().__init__()
        self._host = host
        self._control = control
        self._private = private
        self._data = b""
        self._request: dict[str, Any] | None = None
        self._expected = -1  # octets of a submission
        self._understood = False  # all that was to be said has been: the rest is not looked at
        self._timer: Any = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self._timer = self._host.call_later(_PATIENCE, self.transport.abortConnection)

    def dataReceived(self, data: bytes) -> None:
        if self._understood:
            return
        self._data += data
        try:
            if self._request is None:
                self._take_request()
            elif self._expected < 0 and self._request["verb"] == "submit":
                self._take_length()
            if self._expected >= 0 and len(self._data) >= self._expected:
                self._take_submission()
        except ValueError as error:
            self._end({"ok": False, "error": str(error), "code": _DATAERR})

    def connectionLost(self, reason: Any = None) -> None:
        self._stop_timer()
        super().connectionLost(reason)

    # -- questions -----------------------------------------------------------------------------------------------------

    def _line(self) -> bytes | None:
        line, end, rest = self._data.partition(b"\n")
        if not end:
            if len(self._data) > _LINE_LIMIT:
                raise ValueError("the request is too long")
            return None
        self._data = rest
        return line

    def _take_request(self) -> None:
        line = self._line()
        if line is None:
            return
        request = json.loads(line.decode("utf-8", "surrogateescape"))
        if not isinstance(request, dict) or not isinstance(request.get("verb"), str):
            raise ValueError("the request is not understood")
        self._request = request
        verb = request["verb"]
        if verb not in self._control.verbs(self._private):
            self._end({"ok": False, "error": f"{verb}: not allowed here", "code": _NOPERM})
        elif verb == "submit":
            self._take_length()
        else:
            self._understood = True
            self._stop_timer()
            self._host.background(self._answer(verb, request), f"control: {verb}")

    def _take_length(self) -> None:
        line = self._line()
        if line is not None:
            if not line.isdigit() or len(line) > 18:
                raise ValueError("the length of the submission is not understood")
            self._expected = int(line)
            limit = int(self._host.parameter("message_size_limit") or 0)
            if limit and self._expected > limit + _LINE_LIMIT:
                raise ValueError("message file too big")

    def _take_submission(self) -> None:
        self._understood = True
        self._stop_timer()
        records, self._data = self._data[: self._expected], b""
        self._host.background(self._submit(records), "control: submit")

    def _uid(self) -> int:
        """The peer's user, by the kernel's word."""
        found = self.transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int(struct.unpack("iII", found)[1])

    # -- answers -------------------------------------------------------------------------------------------------------

    async def _submit(self, records: bytes) -> None:
        try:
            name = await self._control.submit(records, self._uid())
        except MailError as error:
            self._refuse(error)
        else:
            self._end({"ok": True, "queue_id": name})

    async def _answer(self, verb: str, request: dict[str, Any]) -> None:
        try:
            if verb == "list":
                await self._control.may_list(self._uid())
                await self._list()
            else:
                for line in await self._control.request(verb, request, self._uid()):
                    self.write(_encoded(line))
        except MailError as error:
            self._refuse(error)
        except (ValueError, OSError) as error:
            self._end({"ok": False, "error": str(error), "code": _UNAVAILABLE})
        else:
            self._end({"ok": True})

    async def _list(self) -> None:
        messages = self._control.listing()
        while not self.gone:
            data = await self._host.threads.run(_piece, messages)
            if not data:
                return
            await self.room()
            self.write(data)

    def _refuse(self, error: MailError) -> None:
        code = _TEMPFAIL if error.temporary else _NOPERM if error.reply.dsn == "5.7.1" else _DATAERR
        self._end({"ok": False, "error": error.reply.text, "code": code})

    def _end(self, last: dict[str, Any]) -> None:
        self._understood = True
        self.write(_encoded(last))
        self._stop_timer()
        self.finish()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


def _piece(messages: Iterator[dict[str, Any]]) -> bytes:
    return b"".join(_encoded(one) for one in islice(messages, _PIECE))


def _encoded(line: dict[str, Any]) -> bytes:
    return _ENCODE(line).encode("utf-8", "surrogateescape") + b"\n"
