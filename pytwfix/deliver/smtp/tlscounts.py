"""How TLS to servers of domains that want reports went: counted in memory, written to disk now and then (RFC 8460).

Whether a domain wants reports is asked of DNS when a session to it is counted for the first time in a period. Each
service appends to a file of its own for each period, data_directory/tlsrpt/counts/<begin>.<seconds>.<pid>.<number>: a
batch in one write, so that a crash costs a few seconds' counts and no more. The room tlsrpt reads them when the period
is over. What the disk does not take is lost, with one warning: no mail waits for a count.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from pytwfix.contracts.dns import BadAnswer, DnsError, NoData, NoSuchName
from pytwfix.deliver.smtp import log
from pytwfix.mail.tlsrpt import Applied, Detail, Tally, line, parse_record

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.host import IDisk, IHost

WAIT = 10.0  # seconds between batches at most; the room tlsrpt waits longer before it reads
_MOST = 2000  # domains in memory
_MOST_KNOWN = 20000  # answers of DNS in memory
_AGAIN = 300.0  # seconds after which DNS is asked again when it did not answer
_LARGEST = 16 << 20  # bytes of one file
_numbers = itertools.count()
_OPEN = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class _Places(NamedTuple):
    """Where reports of one domain go; asked again at a time."""

    places: tuple[str, ...]
    until: float


class _Taken(NamedTuple):
    """What is to be one line of a file."""

    domain: str
    places: tuple[str, ...]
    tally: Tally


class TlsCounts:
    """The counts of one service. `directory` is data_directory/tlsrpt, `period` in seconds."""

    def __init__(self, host: IHost, directory: str, period: int) -> None:
        self._host = host
        self._file = CountFile(host.disk, directory)
        self._period = period
        self._number = next(_numbers)
        self._tallies: dict[tuple[int, str], Tally] = {}
        self._known: dict[str, _Places] = {}
        self._asking: set[str] = set()
        self._timer: IDelayedCall | None = None
        self._writing = False
        self._well = True  # what is wrong with the disk is said once
        self._full = False
        self._closed = False

    def count(self, domain: str, applied: Applied, failure: Detail | None) -> None:
        """One session to a domain (A-labels, lower case): `failure` says what was wrong with it."""
        now = self._host.now()
        known = self._known.get(domain)
        if known is not None and known.until <= now:
            del self._known[domain]
            known = None
        if known is not None and not known.places:
            return
        tally = self._tally(int(now // self._period) * self._period, domain)
        if tally is None:
            return
        count = tally.count(applied)
        if failure is None:
            count.successes += 1
        else:
            count.fail(failure)
        if known is None and domain not in self._asking:
            self._asking.add(domain)
            self._host.background(self._ask(domain), "TLSRPT record")
        if self._closed:
            self._due()
        elif self._timer is None:
            self._timer = self._host.call_later(min(WAIT, self._period / 4), self._due)

    def _tally(self, begin: int, domain: str) -> Tally | None:
        found = self._tallies.get((begin, domain))
        if found is None:
            if len(self._tallies) >= _MOST:
                if not self._full:
                    self._full = True
                    log.tls_counts(self._host.log, "too many domains at once, not all sessions are counted")
                return None
            found = self._tallies[begin, domain] = Tally()
        return found

    def close(self) -> None:
        """Write what there is, and what still comes at once; the host's stop waits for it."""
        self._closed = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._due()

    # Who wants reports.

    async def _ask(self, domain: str) -> None:
        now = self._host.now()
        until = (now // self._period + 1) * self._period
        places: tuple[str, ...] = ()
        try:
            answer = await self._host.resolver.txt(f"_smtp._tls.{domain}")
            texts = (one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in answer.records)
            places = parse_record(texts)
        except (NoData, NoSuchName, BadAnswer):
            pass
        except DnsError:
            until = min(until, now + _AGAIN)
        finally:
            self._asking.discard(domain)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[domain] = _Places(places, until)
        if self._closed:
            self._due()

    # Batches.

    def _due(self) -> None:
        self._timer = None
        if self._tallies and not self._writing:
            self._writing = True
            self._host.background(self._write(), "TLSRPT counts")

    async def _write(self) -> None:
        await self._batch()
        while self._closed and any(domain in self._known for _begin, domain in self._tallies):
            await self._batch()  # what came while the other one was on its way
        self._writing = False
        if self._tallies and self._timer is None and not self._closed:  # DNS has not answered yet
            self._timer = self._host.call_later(min(WAIT, self._period / 4), self._due)

    async def _batch(self) -> None:
        self._full = False
        try:
            for begin, taken in self._taken().items():
                name = f"{begin}.{self._period}.{os.getpid()}.{self._number}"
                await self._host.threads.run(self._file.append, name, taken)
                self._well = True
        except OSError as error:
            if self._well:
                log.tls_counts(self._host.log, str(error))
            self._well = False

    def _taken(self) -> dict[int, list[_Taken]]:
        """What was counted in each period, of all domains about which DNS has told; it is no longer in memory."""
        found: dict[int, list[_Taken]] = {}
        for begin, domain in list(self._tallies):
            known = self._known.get(domain)
            if known is None and domain in self._asking:
                continue
            tally = self._tallies.pop((begin, domain))
            if known is not None and known.places:
                found.setdefault(begin, []).append(_Taken(domain, known.places, tally))
        return found


class CountFile:
    """Files that grow by whole batches. Blocks; raises OSError."""

    def __init__(self, disk: IDisk, directory: str) -> None:
        self._disk = disk
        self._directory = directory

    def append(self, name: str, taken: list[_Taken]) -> None:
        """The line end in front keeps what a crash has cut off apart from what comes now."""
        data = "".join(f"\n{line(*one)}" for one in taken).encode() + b"\n"
        path = f"{self._directory}/counts/{name}"
        try:
            fd = self._disk.open(path, _OPEN, 0o600)
        except FileNotFoundError:
            for folder in (self._directory, f"{self._directory}/counts"):
                with suppress(FileExistsError):
                    self._disk.mkdir(folder, 0o700)
            fd = self._disk.open(path, _OPEN, 0o600)
        try:
            found = self._disk.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "not a file", path)
            if found.st_size + len(data) > _LARGEST:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
            if self._disk.write(fd, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        finally:
            self._disk.close(fd)
