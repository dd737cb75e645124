"""The flush service's log lines."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog


def trouble(log: ILog, what: str, error: BaseException) -> None:
    log.warning(f"{what}: {error}")
