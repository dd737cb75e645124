"""Disk, wall time, random numbers and threads come from the host, so that a simulation can stand in for them."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.house.sources import listed, sources

# Of the module os.
DISK = re.compile(
    r"os\.(access|chmod|chown|close|f?datasync|fchmod|fchown|fstat|fsync|f?truncate|link|listdir|lstat|makedirs|mkdir|open|"
    r"p?read|p?write|readlink|remove|rename|replace|rmdir|scandir|stat|statvfs|symlink|unlink|utime|walk|writev|urandom)"
)
DIRECT = frozenset(["open", "time.time", "time.time_ns", "time.monotonic", "time.perf_counter", "time.sleep"])
MODULES = ("random", "secrets", "shutil", "tempfile", "subprocess", "uuid", "multiprocessing")

# These live outside of the reactor, or are what the host is made of.
OUTSIDE = ("commands/", "master/", "keeper/", "ipc/", "basics/disk.py", "basics/atomicfile.py", "basics/socketpath.py")
# module -> why it may
EXCEPTIONS = {
    "logs/destinations.py": "the log is below the host: it must work when nothing else does",
    "settings/honoured.py": "a tool of developers that reads the source",
    "settings/maincf.py": "main.cf is read before there is a host",
    "showq/listing.py": "the commands' too: without a host",
    "spool/exclusive.py": "two processes and one queue: the lock is older than the host",
    "spool/layout.py": "makes the directories, as root, before services start",
    "spool/repair.py": "postsuper's: without a host",
    "tables/berkeley.py": "the library opens the file itself; the descriptor is for its lock",
    "tables/build.py": "postmap's: without a host",
    "tables/cdb.py": "the file is mapped",
    "tables/lmdbtable.py": "the library opens the file itself; the descriptor is for its lock",
    "tables/serverpool.py": "runs in a thread, where the reactor's clock may not be asked",
    "tables/sqlhosts.py": "runs in a thread, where the reactor's clock may not be asked",
    "tables/memcache.py": "runs in a thread, where the reactor's clock may not be asked",
    "tables/pgsql.py": "runs in a thread, where the reactor's clock may not be asked",
    "tables/redis.py": "runs in a thread, where the reactor's clock may not be asked",
    "tables/standalone.py": "the commands' tables: without a host",
    "tables/substitute.py": "makes files as postmap does",
}


class TestHost(SynchronousTestCase):
    def problems(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for source in sources():
            if source.path.startswith(OUTSIDE):
                continue
            direct = sorted({name for name in source.calls() if name in DIRECT or DISK.fullmatch(name)})
            direct += [name for name in source.imports() if name.split(".")[0] in MODULES]
            if direct:
                found[source.path] = direct
        return found

    def test_direct(self) -> None:
        problems = [f"{path}: {', '.join(names)}" for path, names in self.problems().items() if path not in EXCEPTIONS]
        self.assertEqual(problems, [], listed(problems))

    def test_exceptions_are_needed(self) -> None:
        """An exception that nobody needs any more is taken off the list."""
        self.assertEqual(sorted(set(EXCEPTIONS) - set(self.problems())), [])
