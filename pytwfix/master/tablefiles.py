"""hash: and btree: tables where there is no Berkeley DB: made ready by whoever may read their texts (MT-1, PR-3)."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytwfix.settings.kinds import SettingsError
from pytwfix.tables.migration import prepare
from pytwfix.tables.registry import tables_for

if TYPE_CHECKING:
    from pytwfix.master.host import ServiceHost
    from pytwfix.master.plan import Plan


def make_ready(host: ServiceHost, plan: Plan) -> None:
    """At start and at each reload; blocks. What cannot be made is logged."""
    owner = None
    if os.geteuid() == 0:
        found = pwd.getpwnam(plan.settings.mail_owner)
        owner = (found.pw_uid, found.pw_gid)
    prepare(tables_for(host).context, _values(plan), owner)


def _values(plan: Plan) -> Iterator[str]:
    """Every value of main.cf and of -o options, expanded; and alias_maps, which has a default with a table in it."""
    stated = [plan.main.values, *(service.overrides for service in plan.services)]
    texts = [text for values in stated for text in values.values()]
    for text in (*texts, "$alias_maps"):
        try:
            yield plan.snapshot.expand(text)
        except SettingsError:
            continue
