"""From a configuration to the service that is the mail system: one process or several (HOUSE 3). Raises StartError.

An ordinary user gets one process, unless a number of workers is asked for. Root gets workers, one less than there are
cores and at least one; `inline` is one worker, which with root's rights kept apart is as near as it gets.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from pytwfix.master.startup import Prepared, prepare
from pytwfix.master.surroundings import clean
from pytwfix.master.whole import Whole


def assemble(
    directory: str,
    reactor: Any,
    workers: int | None,
    inline: bool = False,
    ready: Callable[[Prepared], None] | None = None,
) -> Whole:
    """`ready` is told when all listens."""
    prepared = prepare(directory)
    clean(prepared.plan.settings.import_environment, directory, os.environ)
    told = None if ready is None else lambda: ready(prepared)
    if os.geteuid() != 0 and workers is None:
        from pytwfix.master.inline import Inline

        return Inline(reactor, prepared, told)
    from pytwfix.master.supervisor import Supervisor

    count = workers or (1 if inline else max(1, (os.cpu_count() or 2) - 1))
    return Supervisor(reactor, prepared, count, told)
