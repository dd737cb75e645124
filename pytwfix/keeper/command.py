"""Run a command: standard input from us, output to us, a time limit, its own session (LO-5, PI-1, SP-1).

Two ways to start: `start` acts as this process's user (safe beside threads), `start_as` forks and takes on another
user's rights first, for the keeper, which is root and has no threads. Either gives a `Running`, which somebody has to
drive: the keeper's poll loop, or `finish` in a thread of its own. When the time is up the whole process group is
killed. AsUserError when the command cannot be started. Times in seconds of time.monotonic().
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Callable

from pytwfix.contracts.asuser import AsUserError, CommandResult, CommandRun, Identity
from pytwfix.keeper.verbs import failed

_PIECE = 65536
_REAP_PAUSE = 0.02
# What Python or the keeper handle otherwise.
_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Running:
    """A command under way. `descriptors` says what to poll for; `advance` does what is possible without waiting."""

    def __init__(
        self, pid: int, reap: Callable[[], int | None], request: CommandRun, feed: int, output: int, trouble: int = -1
    ) -> None:
        self.pid = pid
        self.deadline = time.monotonic() + request.time_limit
        self._reap = reap
        self._limit = request.output_limit
        self._data = memoryview(request.data)
        self._feed, self._output, self._trouble = feed, output, trouble
        self._exit = -1
        self._kept = bytearray()
        self._complaint = bytearray()
        self._status: int | None = None
        self._timed_out = False
        for fd in self.descriptors():
            os.set_blocking(fd, False)
        self._exit = _watch(pid)

    def descriptors(self) -> dict[int, int]:
        """fd -> poll events."""
        wanted = {fd: select.POLLIN for fd in (self._output, self._trouble) if fd >= 0}
        if self._feed >= 0:
            wanted[self._feed] = select.POLLOUT
        if self._exit >= 0 and (self._output < 0 or self._timed_out):
            wanted[self._exit] = select.POLLIN
        return wanted

    @property
    def patience(self) -> float:
        """Seconds until it is worth looking again when no descriptor is ready."""
        if self._exit < 0 and (self._output < 0 or self._timed_out):
            return _REAP_PAUSE
        return 1.0 if self._timed_out else max(0.0, self.deadline - time.monotonic())

    def advance(self, now: float) -> bool:
        """Move what can be moved; True when the command is over and `result` may be asked."""
        if self._feed >= 0:
            self._feed = self._fed()
        self._output = self._drained(self._output, self._kept, self._limit)
        self._trouble = self._drained(self._trouble, self._complaint, 1024)
        if now >= self.deadline and not self._timed_out:
            self._timed_out = True
            self.kill()
        if self._output >= 0 and not self._timed_out:
            return False
        if self._status is None:
            self._status = self._reap()
        if self._status is None:
            return False
        self.close()
        return True

    def _fed(self) -> int:
        try:
            while self._data:
                self._data = self._data[os.write(self._feed, self._data[:_PIECE]) :]
        except BlockingIOError:
            return self._feed
        except OSError:
            pass  # the command does not want to read all of it, which is its right
        os.close(self._feed)
        return -1

    def _drained(self, fd: int, into: bytearray, limit: int) -> int:
        """Read on, keep what fits, drop the rest: a command that talks much is not held up."""
        if fd < 0:
            return fd
        try:
            while piece := os.read(fd, _PIECE):
                into += piece[: max(0, limit - len(into))]
        except BlockingIOError:
            return fd
        except OSError:
            pass
        os.close(fd)
        return -1

    def kill(self) -> None:
        """End the whole process group."""
        if self._status is not None:
            return
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def close(self) -> None:
        for fd in (self._feed, self._output, self._trouble, self._exit):
            if fd >= 0:
                os.close(fd)
        self._feed = self._output = self._trouble = self._exit = -1

    def result(self) -> CommandResult:
        """AsUserError when the command could not be started."""
        if self._complaint:
            raise AsUserError("missing", self._complaint.decode("utf-8", "replace"))
        return CommandResult(self._status or 0, bytes(self._kept), self._timed_out)


def _watch(pid: int) -> int:
    """A descriptor that is ready when the process has ended; -1 where there is no such thing."""
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):
        return -1


def start(request: CommandRun) -> Running:
    """As the user of this process. A chroot needs root and is refused."""
    if request.chroot:
        raise AsUserError("permanent", f"chroot {request.chroot}: not possible without root rights")
    try:
        process = subprocess.Popen(
            list(request.argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(request.environment),
            cwd=request.directory or None,
            start_new_session=True,
            umask=0o077,
        )
    except OSError as error:
        raise _not_started(request, error) from None
    if request.file_limit:
        _limit_files(process.pid, request.file_limit)
    assert process.stdin is not None and process.stdout is not None
    feed, output = os.dup(process.stdin.fileno()), os.dup(process.stdout.fileno())
    process.stdin.close()
    process.stdout.close()
    for fd in (feed, output):
        fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    return Running(process.pid, process.poll, request, feed, output)


def _limit_files(pid: int, limit: int) -> None:
    """Set from outside: nothing of ours may run between fork and exec beside threads."""
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, limit))
    except (OSError, AttributeError):
        pass  # it has ended, or this system cannot


def start_on(request: CommandRun, fd: int) -> Running:
    """As the user of this process, with `fd` as its standard input, output and error (spawn)."""
    os.set_blocking(fd, True)  # programs do not expect what a reactor's sockets are
    try:
        process = subprocess.Popen(
            list(request.argv),
            stdin=fd,
            stdout=fd,
            stderr=fd,
            env=dict(request.environment),
            cwd=request.directory or None,
            start_new_session=True,
            umask=0o077,
        )
    except OSError as error:
        raise _not_started(request, error) from None
    return Running(process.pid, process.poll, request, -1, -1)


def _not_started(request: CommandRun, error: OSError) -> AsUserError:
    if request.directory and error.filename == request.directory:
        return failed(f"cannot change directory to {request.directory}", error)
    return failed(f"execvp {request.argv[0]}", error)


def start_as(who: Identity, request: CommandRun, connection: int = -1) -> Running:
    """Fork, become `who`, run. For a process that is root and has one thread. `connection` as in `start_on`."""
    trouble, complain = os.pipe()
    if connection < 0:
        feed_end, feed = os.pipe()
        output, output_end = os.pipe()
    else:
        feed_end = output_end = connection
        feed = output = -1
    pid = os.fork()
    if not pid:
        _become_command(who, request, feed_end, output_end, complain)
    for fd in {feed_end, output_end, complain} - {connection}:
        os.close(fd)
    return Running(pid, lambda: reap(pid), request, feed, output, trouble)


def reap(pid: int) -> int | None:
    """The exit status, minus the signal, None when it still runs."""
    try:
        done, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if done else None


def _become_command(who: Identity, request: CommandRun, feed: int, output: int, complain: int) -> None:
    """In the child; never returns. What goes wrong is told through `complain`."""
    what = "setsid"
    try:
        os.setsid()
        complain = fcntl.fcntl(complain, fcntl.F_DUPFD_CLOEXEC, 10)
        for source, target in ((os.dup(feed), 0), (os.dup(output), 1)):
            os.dup2(source, target)
        os.dup2(1, 2)
        os.set_blocking(0, True)  # programs do not expect what a reactor's sockets are
        os.closerange(3, complain)
        os.closerange(complain + 1, 65536)
        if request.chroot:
            what = f"chroot {request.chroot}"
            os.chroot(request.chroot)
            os.chdir("/")
        what = f"setuid {who.uid}"
        become(who)
        if request.directory:
            what = f"cannot change directory to {request.directory}"
            os.chdir(request.directory)
        os.umask(0o077)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if request.file_limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (request.file_limit, request.file_limit))
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        what = f"execvp {request.argv[0]}"
        os.execvpe(request.argv[0], list(request.argv), dict(request.environment))
    except OSError as error:
        os.write(complain, f"{what}: {os.strerror(error.errno or 0)}".encode())
    except BaseException as error:  # nothing may come back into the keeper's code
        os.write(complain, f"{what}: {error}".encode())
    finally:
        os._exit(126)


def become(who: Identity) -> None:
    """Give up root for good; OSError when that does not work."""
    if who.uid <= 0 or who.gid <= 0:
        raise PermissionError(1, "refused")
    os.setgroups([who.gid])
    os.setresgid(who.gid, who.gid, who.gid)
    os.setresuid(who.uid, who.uid, who.uid)
    if os.getresuid() != (who.uid,) * 3 or os.getresgid() != (who.gid,) * 3:
        raise PermissionError(1, "rights were not given up")


def finish(running: Running) -> CommandResult:
    """Wait for the end. Blocks."""
    while not running.advance(time.monotonic()):
        poll = select.poll()
        for fd, events in running.descriptors().items():
            poll.register(fd, events)
        poll.poll(running.patience * 1000 + 1)
    return running.result()
