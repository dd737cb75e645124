"""Waiting for something that another process does, and ports that nobody uses."""

from __future__ import annotations

import random
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NotInTime(AssertionError):
    """What a test waited for did not happen."""


def wait_for(what: Callable[[], T | None], told: str | Callable[[], str] = "", seconds: float = 20.0) -> T:
    """The first true value of `what()`. NotInTime, with `told`, when there is none."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > end:
            raise NotInTime(told() if callable(told) else told or "it did not happen in time")
        time.sleep(0.02)


def wait_until_still(what: Callable[[], int], seconds: float) -> None:
    """Until `what()` has not changed for so long."""
    seen = -1
    while seen != (seen := what()):
        time.sleep(seconds)


# Ports that this process has chosen lately: while the socket is there no other process of the tests chooses them.
_chosen: deque[socket.socket] = deque(maxlen=300)


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on, below those that the kernel gives to clients."""
    while True:
        port = random.randrange(20000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                claim.bind(f"\0pytwfix-tests-port-{port}")
                trial.bind(("127.0.0.1", port))
            except OSError:
                claim.close()
                continue
        if len(_chosen) == _chosen.maxlen:
            _chosen.popleft().close()
        _chosen.append(claim)
        return port


def listens(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection((host, port), 2) as connection:
            connection.settimeout(5)
            return True
    except OSError:
        return False
