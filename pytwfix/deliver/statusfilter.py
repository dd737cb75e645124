"""$default_delivery_status_filter and <transport>_delivery_status_filter (SM-15): what a delivery came to, changed.

The tables are asked for `X.Y.Z text`, and answer in the same form. They may turn a refusal into a delay and back. What
would turn success into failure or failure into success is logged and not used; so is a table that does not answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytwfix.contracts.tables import TableError
from pytwfix.tables.maps import Maps

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost
    from pytwfix.mail.status import Dsn

_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\s+(\S.*)\Z", re.DOTALL)


class StatusFilter:
    """See the module."""

    def __init__(self, maps: Maps) -> None:
        self._maps = maps

    async def apply(self, dsn: Dsn) -> Dsn:
        """The status and text that stand for a delivery's own."""
        try:
            value = await self._maps.lookup(f"{dsn.status} {dsn.reason}".encode("utf-8", "surrogateescape"))
        except TableError:
            return dsn
        if value is None:
            return dsn
        text = value.decode("utf-8", "replace").strip()
        found = _STATUS.match(text)
        if found is None or (found[1][0] == "2") != dsn.success:
            self._maps.warn(f"{self._maps.title}: bad status code: {text}")
            return dsn
        return dsn._replace(status=found[1], reason=found[2])


def status_filter(host: IHost, names: str, title: str) -> StatusFilter | None:
    """None when there are no tables, which is the rule and costs nothing. `title` is the parameter's name."""
    return StatusFilter(Maps(host.tables, names, title, 0)) if names else None
