"""Logins that a server has refused, so that it is not asked again for a while (smtp_sasl_auth_cache_name; SM-14).

The key is server and user; the value when it was, a digest of the password, and what the server said. Another password
is worth another try. A cache that does not work is no reason not to deliver.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pytwfix.contracts.tables import TableError
from pytwfix.deliver.smtp import log

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration


class FailedLogins:
    """False when none are kept."""

    def __init__(self, config: Configuration) -> None:
        cfg = config.cfg
        self._host = config.host
        name = cfg.smtp_sasl_auth_cache_name
        self._timeout = cfg.smtp_sasl_auth_cache_time
        self._table = self._host.tables.open_writable(name, 0) if name else None  # 0: keys as they are

    def __bool__(self) -> bool:
        return self._table is not None

    async def find(self, server: str, user: bytes, password: bytes) -> tuple[str, str] | None:
        """The status and the reply that this login got."""
        if self._table is None:
            return None
        key = _key(server, user)
        try:
            value = await self._table.lookup(key)
            if value is None:
                return None
            when, digest, status, text = value.decode("utf-8", "replace").split(";", 3)
            if digest == _digest(password) and self._host.now() - int(when) < self._timeout:
                return status, text
            await self._table.delete(key)
        except (TableError, ValueError) as error:
            log.table_problem(self._host.log, "smtp_sasl_auth_cache_name", str(error))
        return None

    async def add(self, server: str, user: bytes, password: bytes, status: str, text: str) -> None:
        if self._table is None:
            return
        value = f"{int(self._host.now())};{_digest(password)};{status};{text}"
        try:
            await self._table.update(_key(server, user), value.encode("utf-8"))
        except TableError as error:
            log.table_problem(self._host.log, "smtp_sasl_auth_cache_name", str(error))


def _key(server: str, user: bytes) -> bytes:
    return server.encode("utf-8", "surrogateescape") + b";" + user


def _digest(password: bytes) -> str:
    return hashlib.sha256(password).hexdigest()
