"""The keeper: the one process that keeps root's rights, to lend users' rights to the delivery agents (HOUSE 3).

No reactor, no tables, no network, no threads: one poll loop over the socket to the agents' process, the helpers (one
user each, kept while there is work, ended when idle) and the commands under way. It refuses uid 0, gid 0 and the uid
of mail_owner, whatever is asked. It ends when the agents' socket closes; helpers and commands end with it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pytwfix.contracts.asuser import AsUserError, Identity
from pytwfix.keeper import helper, spool, wire
from pytwfix.keeper.command import Running, reap, start_as

_READ = 1 << 18


@dataclass(eq=False, slots=True)
class Helper:
    """A helper process as the keeper sees it. `lock` is a spool lock that is held for its present request."""

    who: Identity
    pid: int
    connection: socket.socket
    frames: wire.Frames = field(default_factory=wire.Frames)
    outgoing: bytearray = field(default_factory=bytearray)
    request: wire.Frame | None = None
    lock: str = ""
    idle_since: float = 0.0


class Keeper:
    """See the module. Limits: helpers in all and for each user, commands at once, seconds until an idle helper ends."""

    def __init__(
        self,
        connection: socket.socket,
        mail_owner_uid: int,
        spool_directories: Sequence[str] = (),
        helpers: int = 50,
        helpers_per_user: int = 4,
        commands: int = 100,
        idle: float = 20.0,
    ) -> None:
        connection.setblocking(False)
        self._agents = connection
        self._owner = mail_owner_uid
        self._spools = frozenset(os.path.normpath(path) for path in spool_directories)
        self._limits = (helpers, helpers_per_user, commands)
        self._idle = idle
        self._frames = wire.Frames()
        self._descriptors: deque[int] = deque()
        self._outgoing = bytearray()
        self._waiting: deque[wire.Frame] = deque()
        self._waiting_commands: deque[tuple[wire.Frame, int]] = deque()
        self._helpers: list[Helper] = []
        self._gone: list[int] = []
        self._commands: dict[int, tuple[Running, wire.Frame]] = {}
        self._open = True

    def run(self) -> None:
        """Until the agents' process goes away."""
        while self._open:
            self._turn()
        self._end()

    def _turn(self) -> None:
        poll = select.poll()
        poll.register(self._agents, select.POLLIN | (select.POLLOUT if self._outgoing else 0))
        for worker in self._helpers:
            poll.register(worker.connection, select.POLLIN | (select.POLLOUT if worker.outgoing else 0))
        for running, _ in self._commands.values():
            for fd, events in running.descriptors().items():
                poll.register(fd, events)
        ready = {fd for fd, _ in poll.poll(self._patience())}
        if self._agents.fileno() in ready:
            self._hear_agents()
        for worker in [one for one in self._helpers if one.connection.fileno() in ready]:
            self._hear_helper(worker)
        self._advance_commands()
        self._start_waiting()
        self._end_idle()
        self._answer()

    def _patience(self) -> float:
        """Milliseconds until something is due: a command's end, an idle helper."""
        waiting = 1.0 if self._helpers or self._gone or self._waiting or self._waiting_commands else 60.0
        return 1000 * min([waiting, *(running.patience for running, _ in self._commands.values())]) + 1

    # --- the agents' side

    def _hear_agents(self) -> None:
        self._flush()
        try:
            data, descriptors, _, _ = socket.recv_fds(self._agents, _READ, 16)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        self._descriptors.extend(descriptors)
        try:
            frames = self._frames.feed(data)
        except ValueError:
            data, frames = b"", []
        if not data:
            self._open = False
            return
        for frame in frames:
            self._take(frame)

    def _take(self, frame: wire.Frame) -> None:
        given = self._descriptors.popleft() if frame.verb == wire.SPAWN and self._descriptors else -1
        reason = self._refusal(frame)
        if reason:
            self._fail(frame, AsUserError("denied", reason))
            if given >= 0:
                os.close(given)
        elif frame.verb in (wire.RUN, wire.SPAWN):
            self._waiting_commands.append((frame, given))
        else:
            self._waiting.append(frame)

    def _refusal(self, frame: wire.Frame) -> str:
        if frame.uid <= 0 or frame.gid <= 0 or frame.uid == self._owner:
            return f"refused to act with uid {frame.uid} and gid {frame.gid}"
        if frame.verb not in (wire.WRITE, wire.READ, wire.RUN, wire.SPAWN):
            return "unknown request"
        return ""

    def _fail(self, frame: wire.Frame, error: AsUserError) -> None:
        self._outgoing += wire.Frame(frame.number, wire.FAILED, 0, 0, wire.pack_error(error)).encode()

    def _answer(self) -> None:
        if self._outgoing:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._outgoing:
                del self._outgoing[: self._agents.send(self._outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            self._open = False

    # --- files

    def _start_waiting(self) -> None:
        later: deque[wire.Frame] = deque()
        full: set[tuple[int, int]] = set()
        while self._waiting:
            frame = self._waiting.popleft()
            user = (frame.uid, frame.gid)
            worker = None if user in full else self._worker_for(Identity(*user))
            if worker is None:
                full.add(user)
                later.append(frame)
            else:
                self._give(worker, frame)
        self._waiting = later
        while self._waiting_commands and len(self._commands) < self._limits[2]:
            self._start_command(*self._waiting_commands.popleft())

    def _worker_for(self, who: Identity) -> Helper | None:
        """An idle helper of this user, or a new one; None when there are as many as may be."""
        own = [one for one in self._helpers if one.who == who]
        for worker in own:
            if worker.request is None:
                return worker
        if len(own) >= self._limits[1]:
            return None
        if len(self._helpers) >= self._limits[0] and not self._end_one_idle():
            return None
        try:
            return self._fork(who)
        except OSError:
            return None

    def _give(self, worker: Helper, frame: wire.Frame) -> None:
        try:
            if frame.verb == wire.WRITE and self._spools:
                frame = self._prepare_spool(worker, frame)
        except (AsUserError, ValueError, TypeError) as error:
            self._fail(frame, error if isinstance(error, AsUserError) else AsUserError("temporary", str(error)))
            return
        worker.request = frame
        worker.outgoing += frame.encode()
        self._push(worker)

    def _prepare_spool(self, worker: Helper, frame: wire.Frame) -> wire.Frame:
        """Lock and make the mbox as root when it lies in the mail spool; the helper then need not."""
        request = wire.unpack_write(frame.body)
        if not spool.belongs(request, self._spools):
            return frame
        worker.lock = spool.prepare(worker.who, request)
        request.locks = [name for name in request.locks if name != "dotlock"]
        return frame._replace(body=wire.pack_write(request))

    def _push(self, worker: Helper) -> None:
        try:
            while worker.outgoing:
                del worker.outgoing[: worker.connection.send(worker.outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            self._lost(worker)

    def _hear_helper(self, worker: Helper) -> None:
        if worker.outgoing:
            self._push(worker)
        try:
            data = worker.connection.recv(_READ)
            frames = worker.frames.feed(data)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            data, frames = b"", []
        if not data:
            self._lost(worker)
            return
        for frame in frames:
            self._finished(worker, frame)

    def _finished(self, worker: Helper, frame: wire.Frame) -> None:
        if worker.request is None or frame.verb not in (wire.DONE, wire.FAILED):
            return
        # The number is ours: a helper, which a user may have got hold of, answers its own request and no other.
        number = worker.request.number
        spool.release(worker.lock)
        worker.request, worker.lock, worker.idle_since = None, "", time.monotonic()
        self._outgoing += frame._replace(number=number).encode()

    def _fork(self, who: Identity) -> Helper:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            self._leave_to_child(ours)
            helper.serve(theirs, who)
        theirs.close()
        ours.setblocking(False)
        worker = Helper(who, pid, ours, idle_since=time.monotonic())
        self._helpers.append(worker)
        return worker

    def _leave_to_child(self, ours: socket.socket) -> None:
        """In the helper: what belongs to the keeper and to other users is not for it."""
        ours.close()
        self._agents.close()
        for worker in self._helpers:
            worker.connection.close()
        for running, _ in self._commands.values():
            running.close()
        for fd in [*self._descriptors, *(fd for _, fd in self._waiting_commands if fd >= 0)]:
            os.close(fd)
        self._waiting.clear()
        self._outgoing.clear()

    def _lost(self, worker: Helper) -> None:
        """It died: of a signal, or because it could not take on the user's rights."""
        if worker not in self._helpers:
            return
        self._helpers.remove(worker)
        worker.connection.close()
        spool.release(worker.lock)
        self._gone.append(worker.pid)
        if worker.request is not None:
            self._fail(worker.request, AsUserError("temporary", "the process that acts for this user died"))

    def _end_idle(self) -> None:
        limit = time.monotonic() - self._idle
        for worker in [one for one in self._helpers if one.request is None and one.idle_since < limit]:
            self._lost(worker)
        self._gone = [pid for pid in self._gone if reap(pid) is None]

    def _end_one_idle(self) -> bool:
        idle = [one for one in self._helpers if one.request is None]
        if idle:
            self._lost(min(idle, key=lambda one: one.idle_since))
        return bool(idle)

    # --- commands

    def _start_command(self, frame: wire.Frame, given: int) -> None:
        try:
            request = wire.unpack_run(frame.body)
            if frame.verb == wire.SPAWN and given < 0:
                raise AsUserError("permanent", "no connection came with the request")
            running = start_as(Identity(frame.uid, frame.gid), request, given)
            self._commands[frame.number] = (running, frame)
        except AsUserError as error:
            self._fail(frame, error)
        except (OSError, ValueError, TypeError) as error:
            self._fail(frame, AsUserError("temporary", str(error)))
        finally:
            if given >= 0:
                os.close(given)

    def _advance_commands(self) -> None:
        now = time.monotonic()
        for number, (running, frame) in list(self._commands.items()):
            if not running.advance(now):
                continue
            del self._commands[number]
            try:
                body = wire.pack_answer(running.result())
                self._outgoing += wire.Frame(number, wire.DONE, 0, 0, body).encode()
            except AsUserError as error:
                self._fail(frame, error)

    def _end(self) -> None:
        for running, _ in self._commands.values():
            running.kill()
        for worker in list(self._helpers):
            self._lost(worker)


def main(socket_fd: int, mail_owner_uid: int, spool_directories: Sequence[str] = ()) -> None:
    """The keeper's life in a process that the master forked; returns when the agents' process is gone.

    Every descriptor but `socket_fd` and the standard three is closed first: listeners are nothing for root."""
    os.closerange(3, socket_fd)
    os.closerange(max(3, socket_fd + 1), 65536)
    os.umask(0o077)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # sent to all processes at once, it must not cut off deliveries
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=socket_fd) as connection:
        Keeper(connection, mail_owner_uid, spool_directories).run()
