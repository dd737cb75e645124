"""MTA-STS policies that were fetched, a file a domain under data_directory/mta-sts (RFC 8461 section 3.3).

All processes share them: a policy that was seen holds for its max_age, whatever becomes of DNS and of this program.
Blocks; raises OSError.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from pytwfix.mail.mtasts import StsPolicy, parse_policy

if TYPE_CHECKING:
    from pytwfix.contracts.host import IDisk

_MOST = 1 << 20
_numbers = itertools.count()
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


class Known(NamedTuple):
    """A policy, the id that its DNS record had, and when it was fetched (seconds since the epoch)."""

    ident: str
    fetched: float
    policy: StsPolicy

    def holds(self, now: float) -> bool:
        return now < self.fetched + self.policy.max_age


class StsCache:
    """`directory` is made when something is kept for the first time. Domains are valid names in ASCII, lower case."""

    def __init__(self, disk: IDisk, directory: str) -> None:
        self._disk = disk
        self._directory = directory

    def read(self, domain: str) -> Known | None:
        """None: there is none, or none that can be understood, which is as good."""
        try:
            fd = self._disk.open(f"{self._directory}/{domain}", _READ)
        except FileNotFoundError:
            return None
        try:
            text = self._disk.read(fd, _MOST)
        finally:
            self._disk.close(fd)
        try:
            found = json.loads(text)
            return Known(str(found["id"]), float(found["fetched"]), parse_policy(str(found["policy"])))
        except (ValueError, KeyError, TypeError):
            return None

    def keep(self, domain: str, known: Known) -> None:
        """In place of what there was, whole or not at all."""
        disk, path = self._disk, f"{self._directory}/{domain}"
        text = {"id": known.ident, "fetched": known.fetched, "policy": "\n".join(known.policy.lines)}
        data = json.dumps(text).encode()
        temporary = f"{self._directory}/.{os.getpid()}.{next(_numbers)}.new"  # threads write at the same time
        fd = self._create(temporary)
        try:
            try:
                if disk.write(fd, data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), temporary)
                disk.fsync(fd)
            finally:
                disk.close(fd)
            disk.rename(temporary, path)
        except OSError:
            disk.unlink(temporary)
            raise

    def _create(self, temporary: str) -> int:
        try:
            return self._disk.open(temporary, _WRITE, 0o600)
        except FileNotFoundError:
            with suppress(FileExistsError):  # another one was faster
                self._disk.mkdir(self._directory, 0o700)
        except FileExistsError:  # of a process that ended in between
            self._disk.unlink(temporary)
        return self._disk.open(temporary, _WRITE, 0o600)
