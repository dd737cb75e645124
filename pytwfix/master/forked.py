"""A child of the master: a fork that has everything imported, with a reactor of its own (HOUSE 3).

The parent's poller is closed before anything is taken off it: an epoll set is shared by fork, and what the child
removed would be gone for the master too. A child never comes back: it ends by os._exit, so that no `finally` of the
master's runs in it.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from twisted.internet import process
from twisted.internet.main import installReactor


def fork(reactor: Any, life: Callable[[Any], int], name: str) -> int:
    """The child's process ID. In the child `life` gets the new reactor and gives the exit status. OSError."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _forget_signals()
        _call_myself(name)
        status = life(_another(reactor))
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _forget_signals() -> None:
    """The master's handlers are not ours. The child's reactor sets those for SIGTERM and SIGCHLD."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def _another(reactor: Any) -> Any:
    """A reactor of the same kind, in the place of the master's, whose descriptors are closed."""
    poller: Any = getattr(reactor, "_poller", None)
    if hasattr(poller, "close"):
        poller.close()
    for waker in list(getattr(reactor, "_internalReaders", ())):
        waker.connectionLost(None)
    process.reapProcessHandlers.clear()
    sys.modules.pop("twisted.internet.reactor", None)
    made = type(reactor)()
    installReactor(made)
    return made


def _call_myself(name: str) -> None:
    """What ps and top show."""
    try:
        comm = os.open("/proc/self/comm", os.O_WRONLY)  # open() would import a codec, in each process
    except OSError:
        return  # another system
    os.write(comm, name[:15].encode())
    os.close(comm)
