"""Where the other process is now. Proxies ask through a Link, which outlives the process at its other end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail

from pytwfix.ipc.failures import Gone

if TYPE_CHECKING:
    from pytwfix.ipc.channel import Channel

_KEPT = 10_000


class Link:
    """`name` is what the peer is. Casts made while it is away are kept for the one that comes, up to a bound."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.channel: Channel | None = None
        self._kept: list[tuple[Any, ...]] = []

    def attach(self, channel: Channel) -> None:
        """The process is there (again)."""
        self.channel = channel
        kept, self._kept = self._kept, []
        for message in kept:
            channel.cast(*message)

    def detach(self, channel: Channel) -> None:
        """It has gone, unless another has come already."""
        if self.channel is channel:
            self.channel = None

    def call(
        self, method: int, *arguments: Any, read: Callable[[Any], Any] | None = None, limit: float = 0.0
    ) -> Deferred[Any]:
        channel = self.channel
        if channel is None:
            return fail(Gone(f"the {self.name} process is gone"))
        return channel.call(method, *arguments, read=read, limit=limit)

    def cast(self, method: int, *arguments: Any) -> None:
        channel = self.channel
        if channel is not None:
            channel.cast(method, *arguments)
        elif len(self._kept) < _KEPT:
            self._kept.append((method, *arguments))
