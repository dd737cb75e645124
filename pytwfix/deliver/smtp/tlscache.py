"""TLS sessions of earlier connections to a server (TL-5; smtp_tls_session_cache_database).

They are kept by tlsmgr, and by ourselves where there is none. A session belongs to one server and one policy: what was
good enough for one level is not taken for another. What OpenSSL thought of the server's certificate is kept with it,
because it is not asked again when a session is taken up.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pytwfix.net.tls import sessions
from pytwfix.net.tls.verdict import verdict_of

if TYPE_CHECKING:
    from OpenSSL import SSL

    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.deliver.smtp.policy import Policy
    from pytwfix.deliver.smtp.session import Session

_MOST = 1000


class TlsCache:
    """False when nothing is to be kept."""

    def __init__(self, config: Configuration) -> None:
        self._host = config.host
        self._name = "lmtp" if config.lmtp else "smtp"
        self._on = bool(config.cfg.smtp_tls_session_cache_database)
        self._timeout = config.cfg.smtp_tls_session_cache_timeout
        self._own: dict[str, tuple[float, bytes]] = {}

    def __bool__(self) -> bool:
        return self._on

    def key(self, session: Session, policy: Policy, servername: str) -> str:
        server = session.server
        text = repr((server.host, server.address or server.path, server.port, policy, servername))
        return hashlib.sha256(text.encode()).hexdigest()

    async def find(self, key: str) -> bytes:
        """What `keep` was given, b"" for nothing."""
        peer = self._peer()
        if peer is not None:
            try:
                return await peer.lookup(self._name, key) or b""
            except Exception:
                return b""
        when, data = self._own.get(key, (0.0, b""))
        return data if self._host.monotonic() - when < self._timeout else b""

    def _peer(self) -> Any:
        try:
            return self._host.peers.tls_sessions
        except (AttributeError, KeyError):
            return None

    def take_up(self, connection: SSL.Connection, data: bytes) -> None:
        """Before the handshake."""
        sessions.load(connection, data.partition(b":")[2])

    def judge(self, connection: SSL.Connection, data: bytes) -> None:
        """After the handshake: an old session has an old verdict."""
        number = data.partition(b":")[0]
        if sessions.reused(connection) and number.isdigit():
            verdict_of(connection).error = int(number)

    def keep(self, key: str, connection: SSL.Connection) -> None:
        """The session of a connection over which something was said."""
        session = sessions.dump(connection)
        if not session:
            return
        data = b"%d:%b" % (verdict_of(connection).error, session)
        peer = self._peer()
        if peer is not None:
            peer.update(self._name, key, data)
            return
        while len(self._own) >= _MOST:
            del self._own[next(iter(self._own))]
        self._own[key] = (self._host.monotonic(), data)
