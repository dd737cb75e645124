"""Who may know the reactor: the start of the program, the workers' start, commands (docs/rooms.md)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.house.sources import listed, sources

MAY = ("master/tap.py", "master/forked.py", "commands/")
# Importing these imports a reactor as well.
BRING_ONE = (
    "twisted.internet.reactor",
    "twisted.internet.threads.deferToThread",
    "twisted.internet.utils.getProcessOutput",
)


class TestReactor(SynchronousTestCase):
    def test_imports(self) -> None:
        problems = [
            f"{source.path} imports {name}"
            for source in sources()
            if not source.path.startswith(MAY)
            for name in source.imports()
            if name in BRING_ONE
        ]
        self.assertEqual(problems, [], listed(problems))

    def test_blockers(self) -> None:
        """Nobody sleeps, and nobody starts threads or processes by himself. (memcache.py's client runs in a thread.)"""
        never = ("time.sleep", "threading.Thread", "subprocess.run", "subprocess.Popen", "os.system", "os.popen")
        may = ("commands/", "master/", "keeper/", "tables/memcache.py")
        problems = [
            f"{source.path}: {name}"
            for source in sources()
            if not source.path.startswith(may)
            for name in source.calls()
            if name in never
        ]
        self.assertEqual(problems, [], listed(problems))
