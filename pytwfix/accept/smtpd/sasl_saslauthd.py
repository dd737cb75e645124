"""smtpd_sasl_type = cyrus: saslauthd is asked over its socket (SD-41).

There is no Cyrus SASL library here: PLAIN and LOGIN are all that saslauthd can judge. A question is user, password,
service and realm, each behind its length in two bytes; the answer is OK or NO, behind its length.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from pytwfix.accept.smtpd.endpoints import Endpoint, limited
from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.accept.smtpd.sasl_dialogs import Exchange, Unavailable
from pytwfix.dialogs.dovecot_auth import Mechanism
from pytwfix.dialogs.sasl_server import PLAINTEXT, Refused, ScramKeys

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.settings import SmtpdSettings
    from pytwfix.accept.smtpd.state import State
    from pytwfix.contracts.host import IHost

_LONGEST = 1024


class _Question(Protocol):
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._buffer = b""
        self.answer: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.write(self._data)

    def dataReceived(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= 2:
            (size,) = struct.unpack("!H", self._buffer[:2])
            if len(self._buffer) >= 2 + size and not self.answer.called:
                self.answer.callback(self._buffer[2 : 2 + size])

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.answer.called:
            self.answer.errback(Unavailable("saslauthd hung up"))


class SaslauthdSasl:
    """See the module. Raises Fatal where no saslauthd is."""

    def __init__(self, host: IHost, cfg: SmtpdSettings) -> None:
        path = cfg.pytwfix_saslauthd_path
        try:
            host.disk.stat(path)
        except OSError as error:
            raise Fatal(
                f"smtpd_sasl_type = cyrus needs saslauthd: its socket {path} (pytwfix_saslauthd_path): "
                f"{os.strerror(error.errno or 0)}"
            ) from error
        self._host = host
        self._end = Endpoint(host, path, local=True)
        self._timeout = cfg.pytwfix_sasl_timeout
        self._service = cfg.smtpd_sasl_service.encode()
        self._realm = cfg.smtpd_sasl_local_domain

    async def mechanisms(self) -> list[Mechanism]:
        return [Mechanism("PLAIN", PLAINTEXT), Mechanism("LOGIN", PLAINTEXT)]

    def begin(self, state: State, mechanism: str) -> Exchange:
        return Exchange(self, mechanism, b"", self._realm)

    def stop(self) -> None:
        """Each question has a connection of its own."""

    # For Exchange.

    async def verifies(self, user: bytes, password: bytes) -> bool:
        name, _, realm = user.partition(b"@")
        parts = (name, password, self._service, realm)
        if any(len(part) > _LONGEST for part in parts):
            return False
        data = b"".join(struct.pack("!H", len(part)) + part for part in parts)
        try:
            question = await self._end.connect(lambda: _Question(data), self._timeout)
            try:
                answer = await limited(self._host, question.answer, self._timeout)
            finally:
                transport: Any = question.transport
                transport.loseConnection()
        except Exception as error:
            self._host.log.warning(f"SASL: saslauthd at {self._end.text}: {error}")
            raise Unavailable("saslauthd does not answer") from error
        return answer.startswith(b"OK")

    async def keys(self, user: bytes) -> ScramKeys:
        raise Refused("SCRAM is not offered")
