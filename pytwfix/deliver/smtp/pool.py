"""Idle sessions, kept for the next mail to the same place (SM-10).

A session is kept under the destination that it was opened for and under its server. It leaves after
smtp_connection_cache_time_limit, or when the server closes it or says anything: that is no failure of any mail.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from pytwfix.deliver.smtp.wire import TIMEOUT

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.session import Session


class Pool:
    """Sessions that nobody uses, the last one first."""

    __slots__ = ("_closed", "_idle", "_limit")

    def __init__(self, limit: float) -> None:
        """`limit`: how long a session is kept, in seconds."""
        self._limit = limit
        self._idle: dict[Hashable, list[Session]] = {}
        self._closed = False

    def __len__(self) -> int:
        return len({id(one) for sessions in self._idle.values() for one in sessions})

    def take(self, key: Hashable) -> Session | None:
        """A session for a destination or a server."""
        waiting = self._idle.get(key)
        if not waiting:
            return None
        session = waiting[-1]
        self._forget(session)
        session.wire.listen(None)
        session.wire.limit(0)
        return session

    def put(self, session: Session) -> None:
        """Keep it, unless it is of no use any more."""
        if self._closed or session.worn or not session.keys:
            session.close()
            return
        for key in session.keys:
            self._idle.setdefault(key, []).append(session)
        session.wire.listen(lambda: self._woken(session))
        session.wire.limit(self._limit)

    def _forget(self, session: Session) -> None:
        for key in session.keys:
            sessions = self._idle.get(key)
            if sessions is not None and session in sessions:
                sessions.remove(session)
                if not sessions:
                    del self._idle[key]

    def _woken(self, session: Session) -> None:
        """Time is up, the server has gone, or it says that it goes."""
        self._forget(session)
        if session.wire.gone == TIMEOUT and not session.wire.lost:
            session.wire.gone = ""
        session.close()

    def close(self) -> None:
        """Say goodbye to all; what is put here later goes too."""
        self._closed = True
        for session in {id(one): one for sessions in self._idle.values() for one in sessions}.values():
            self._forget(session)
            session.close()
