"""IAsUser as the user who runs the daemon, when it was not started as root (HOUSE 3).

Whoever a request names, it is done with this process's rights. Files are worked on in the host's threads; each command
has a thread of its own, so that a slow one holds nobody's; `stop` ends those that still run.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore, fail
from twisted.python.failure import Failure

from pytwfix.contracts.asuser import AsUserError, CommandResult, CommandRun, FileRead, Identity, MailboxWrite
from pytwfix.contracts.host import IThreads
from pytwfix.keeper import verbs
from pytwfix.keeper.attempts import Attempts
from pytwfix.keeper.command import Running, finish, start, start_on


class InProcess:
    """`reactor` gives callLater and callFromThread; `commands` is how many may run at once."""

    one_user = True

    def __init__(self, threads: IThreads, reactor: Any, commands: int = 50) -> None:
        self._threads = threads
        self._reactor = reactor
        self._slots = DeferredSemaphore(commands)
        self._running: set[Running] = set()
        self._attempts = Attempts(reactor.callLater)

    def write(self, who: Identity, request: MailboxWrite) -> Deferred[int]:
        def once() -> Deferred[int]:
            return self._threads.run(verbs.write, request)

        return self._attempts.write(once, request)

    def read(self, who: Identity, request: FileRead) -> Deferred[bytes | None]:
        owner = who.uid or os.geteuid()
        return self._threads.run(verbs.read, request, owner)

    def run(self, who: Identity, request: CommandRun) -> Deferred[CommandResult]:
        if request.chroot:
            return fail(AsUserError("permanent", f"chroot {request.chroot}: not possible without root rights"))
        return self._slots.run(self._in_thread, lambda: start(request))

    def spawn(self, who: Identity, request: CommandRun, connection: int) -> Deferred[CommandResult]:
        """Run with the socket `connection` as its standard input and output; fires when it has ended."""
        fd = os.dup(connection)

        def begin() -> Running:
            try:
                return start_on(request, fd)
            finally:
                os.close(fd)

        return self._slots.run(self._in_thread, begin)

    def stop(self) -> None:
        """End the commands that still run."""
        for running in list(self._running):
            running.kill()

    def _in_thread(self, begin: Any) -> Deferred[CommandResult]:
        done: Deferred[CommandResult] = Deferred()

        def work() -> None:
            outcome: CommandResult | Failure
            try:
                running = begin()
                self._running.add(running)
                try:
                    outcome = finish(running)
                finally:
                    self._running.discard(running)
            except Exception as error:
                outcome = Failure(error)
            fire = done.errback if isinstance(outcome, Failure) else done.callback
            self._reactor.callFromThread(fire, outcome)

        threading.Thread(target=work, name="command", daemon=True).start()
        return done
