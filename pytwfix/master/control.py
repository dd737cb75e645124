"""The daemon's side of contracts/control.py: what commands may ask, and who may ask it (HOUSE 3, PQ-1, PD-1).

An ordinary user comes by `submit/socket`: who it is, the kernel says (SO_PEERCRED). root and mail_owner may ask the
same on `private/control`, and what changes the queue or the system besides. Raises MailError for what is refused.
"""

from __future__ import annotations

import pwd
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from pytwfix.contracts.control import CONTROL_VERBS, PUBLIC_VERBS
from pytwfix.contracts.tables import TableError
from pytwfix.mail.errors import MailError
from pytwfix.mail.queueid import valid
from pytwfix.mail.reply import Reply
from pytwfix.settings.commands import CommandSettings
from pytwfix.settings.common import CommonSettings
from pytwfix.showq.listing import list_queues
from pytwfix.spool.paths import QueuePaths
from pytwfix.tables.matchlists import StringList

if TYPE_CHECKING:
    from pytwfix.master.host import ServiceHost

_ANYONE = "static:anyone"


class Control:
    """IControl, over the rooms of this process. `reload` and `stop` are the master's."""

    def __init__(
        self,
        host: ServiceHost,
        pickup: Any,
        reload: Callable[[], None] | None = None,
        stop: Callable[[], None] | None = None,
        status: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        self._host = host
        self._pickup = pickup
        self._reload = reload
        self._stop = stop
        self._status = status

    def verbs(self, private: bool) -> tuple[str, ...]:
        return (*CONTROL_VERBS, "forget") if private else PUBLIC_VERBS

    def request(self, verb: str, arguments: dict[str, Any], uid: int) -> Deferred[list[dict[str, Any]]]:
        return Deferred.fromCoroutine(self._request(verb, arguments, uid))

    async def _request(self, verb: str, arguments: dict[str, Any], uid: int) -> list[dict[str, Any]]:
        if verb == "flush":
            return await self._flush(arguments, uid)
        if verb == "deliver":
            return await self._deliver(arguments, uid)
        if verb == "forget":
            self._host.peers.queue.forget([str(one) for one in arguments.get("ids", ()) if valid(str(one))])
            self._pickup.trigger()  # what was requeued lies in maildrop now
        elif verb == "reload" and self._reload is not None:
            self._reload()
        elif verb == "stop" and self._stop is not None:
            self._stop()
        elif verb == "status":
            return [self._status() if self._status is not None else {}]
        else:
            raise ValueError(f"{verb} is not known")
        return []

    async def submit(self, records: bytes, uid: int) -> str:
        """One maildrop file; its name."""
        return str(await self._pickup.submit(records, uid))

    async def _flush(self, arguments: dict[str, Any], uid: int) -> list[dict[str, Any]]:
        cfg = self._host.settings(CommandSettings)
        await self._allow(cfg.authorized_flush_users, "authorized_flush_users", uid, "flush the mail queue")
        sites = [str(one) for one in arguments.get("sites", ())]
        await self._host.peers.queue.flush(sites or None)
        if not sites:
            self._pickup.trigger()
        return []

    async def _deliver(self, arguments: dict[str, Any], uid: int) -> list[dict[str, Any]]:
        cfg = self._host.settings(CommandSettings)
        await self._allow(cfg.authorized_flush_users, "authorized_flush_users", uid, "flush the mail queue")
        queue_id = str(arguments.get("id", ""))
        if not valid(queue_id):
            raise ValueError(f"invalid queue ID: {queue_id}")
        await self._host.peers.queue.deliver_now(queue_id)
        return []

    async def may_list(self, uid: int) -> None:
        """MailError when the user may not see the queue."""
        cfg = self._host.settings(CommandSettings)
        await self._allow(cfg.authorized_mailq_users, "authorized_mailq_users", uid, "view the mail queue")

    def listing(self) -> Iterator[dict[str, Any]]:
        """Every message. Blocks: to be stepped through in a thread."""
        cfg = self._host.settings(CommonSettings)
        return list_queues(QueuePaths(cfg.queue_directory, cfg.hash_queue_names, cfg.hash_queue_depth))

    async def _allow(self, users: str, name: str, uid: int, what: str) -> None:
        if uid == 0 or users == _ANYONE:
            return
        login = await self._host.threads.run(_login, uid)
        try:
            allowed = await StringList(self._host.tables, users, name).match(login or "unknown")
        except TableError as error:
            raise MailError(Reply(451, "4.3.0", "Temporary lookup failure"), str(error)) from error
        if not allowed:
            raise MailError(Reply(550, "5.7.1", f"User {login or 'unknown'}({uid}) is not allowed to {what}"))


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
