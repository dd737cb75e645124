"""Listings of large queues, with a child."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import queuereading
from pytwfix.showq.listing import Entry, list_queues
from pytwfix.spool.paths import QueuePaths
from tests.kit.spool import Spool


def _names(messages: Iterable[Entry]) -> bytes:
    return b"".join(f"{one['queue_name']} {one['queue_id']}\n".encode() for one in messages)


class Chunks(SynchronousTestCase):
    """PQ-2, PQ-3: the same messages in the same order as one process has them."""

    def setUp(self) -> None:
        self.spool = Spool(self.mktemp())
        self.paths = QueuePaths(self.spool.path, "deferred, defer", 1)
        self.patch(queuereading, "_FEW", 10)
        self.patch(queuereading, "_CHUNK", 3)

    def put(self, queue: str, count: int) -> None:
        for number in range(count):
            self.spool.put(b"x" * number + b"\r\n", b"a@x", queue=queue)

    def expect_all(self) -> None:
        expected = list(list_queues(self.paths))
        found = list(queuereading.chunks(self.paths, _names))
        self.assertEqual(b"".join(one.text for one in found), _names(expected))
        self.assertEqual(sum(one.messages for one in found), len(expected))
        self.assertEqual(sum(one.octets for one in found), sum(one["message_size"] for one in expected))

    def test_small(self) -> None:
        self.put("deferred", 4)
        self.put("hold", 1)
        self.expect_all()

    def test_large(self) -> None:
        self.put("deferred", 40)
        self.put("incoming", 2)
        self.put("hold", 11)
        self.expect_all()

    def test_child_dies(self) -> None:
        """What it has not sent is read without it."""
        self.put("deferred", 40)
        parent = os.getpid()
        asked: list[str] = []

        class Reader(queuereading._Reader):
            def chunk(self, names: list[tuple[str, str]]) -> queuereading.Chunk:
                asked.append(names[0][1])
                if os.getpid() != parent and len(asked) == 3:
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().chunk(names)

        self.patch(queuereading, "_Reader", Reader)
        self.expect_all()

    def test_not_read_to_the_end(self) -> None:
        """The child of a listing that nobody wants any more ends."""
        self.patch(queuereading, "_SET_PIPE_SIZE", -1)
        self.put("deferred", 40)
        found = queuereading.chunks(self.paths, lambda messages: bytes(100000))
        next(found)
        found.close()
        self.assertRaises(ChildProcessError, os.waitpid, -1, os.WNOHANG)
