"""smtpd_sasl_type = table: stored passwords in lookup tables, without a second daemon (SD-41).

`pytwfix_sasl_password_maps` has the users; values are those of dialogs/sasl_passwords. A user without @ is asked for
with smtpd_sasl_local_domain behind it, where that is set.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.accept.smtpd.sasl_dialogs import Exchange, Unavailable
from pytwfix.contracts.tables import TableError
from pytwfix.dialogs import sasl_passwords
from pytwfix.dialogs.dovecot_auth import Mechanism
from pytwfix.dialogs.sasl_server import MECHANISMS, ScramKeys
from pytwfix.tables.maps import Maps

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.settings import SmtpdSettings
    from pytwfix.accept.smtpd.state import State
    from pytwfix.contracts.host import IHost

_NO_ANSWER = "password lookup failed"
_SALT = 16


class TableSasl:
    """See the module. Raises Fatal for what cannot work."""

    def __init__(self, host: IHost, cfg: SmtpdSettings) -> None:
        self._host = host
        self._realm = cfg.smtpd_sasl_local_domain
        self._maps = Maps(host.tables, cfg.pytwfix_sasl_password_maps, "pytwfix_sasl_password_maps")
        if not self._maps:
            raise Fatal("smtpd_sasl_type = table needs pytwfix_sasl_password_maps")
        self._secret = host.random.bytes(32)
        self._mechanisms = []
        for word in cfg.pytwfix_sasl_mechanisms.replace(",", " ").upper().split():
            if word not in MECHANISMS:
                raise Fatal(f'pytwfix_sasl_mechanisms: unknown mechanism "{word}"')
            self._mechanisms.append(Mechanism(word, MECHANISMS[word][1]))

    async def mechanisms(self) -> list[Mechanism]:
        return self._mechanisms

    def begin(self, state: State, mechanism: str) -> Exchange:
        return Exchange(self, mechanism, self._host.random.bytes(18), self._realm)

    def stop(self) -> None:
        """Nothing is held."""

    # For Exchange.

    async def verifies(self, user: bytes, password: bytes) -> bool:
        stored = await self._stored(user)
        try:
            if stored is None:  # takes as long as a wrong password
                await self._host.threads.run(sasl_passwords.scram, b"{PLAIN}" + password, self._salt(user))
                return False
            return await self._host.threads.run(sasl_passwords.verifies, stored, password)
        except sasl_passwords.UnknownScheme as error:
            raise self._unusable(user, error) from error

    async def keys(self, user: bytes) -> ScramKeys:
        stored = await self._stored(user)
        salt = self._salt(user)
        try:
            keys = None
            if stored is not None:
                keys = await self._host.threads.run(sasl_passwords.scram, stored, salt)
        except sasl_passwords.UnknownScheme as error:
            raise self._unusable(user, error) from error
        return keys or sasl_passwords.decoy(salt)

    def _salt(self, user: bytes) -> bytes:
        """The same each time that a client asks, for users who exist and for others."""
        return hmac.new(self._secret, user, hashlib.sha256).digest()[:_SALT]

    async def _stored(self, user: bytes) -> bytes | None:
        try:
            return await self._maps.lookup(user)
        except TableError as error:
            self._host.log.warning(str(error))
            raise Unavailable(_NO_ANSWER) from error

    def _unusable(self, user: bytes, error: Exception) -> Unavailable:
        self._host.log.warning(f"SASL: {self._maps.title}: {user.decode('utf-8', 'replace')}: {error}")
        return Unavailable(_NO_ANSWER)
