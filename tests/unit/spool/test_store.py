"""The store on disk (INVENTORY QU-2 to QU-6, ST-2, ST-6, ST-7, RF-4)."""

from __future__ import annotations

import errno
import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.queue import (
    ACTIVE,
    DEFERRED,
    HOLD,
    INCOMING,
    CorruptMessage,
    MessageBusy,
    NoSuchMessage,
    QueueError,
)
from pytwfix.mail.envelope import TRACE_RECORD, Client, Envelope, Recipient
from pytwfix.mail.status import NOTIFY_DELAY, NOTIFY_SUCCESS, RET_HDRS
from tests.kit.spool import CLIENT, Spool, collected, result

SMALL = b"Subject: s\r\n\r\nhello\r\n"
LARGE = b"Subject: l\r\n\r\n" + (b"y" * 70 + b"\r\n") * 9000 + b"z" * 300000 + b"\r\nend\r\n"


class Writing(SynchronousTestCase):
    def setUp(self) -> None:
        self.spool = Spool(self.mktemp())

    def test_layout(self) -> None:
        """RF-4, RF-5: the records that Postfix writes, in its order, and the size record that tells where they are."""
        envelope = self.spool.put(SMALL, b"r@example.com")
        data = self.spool.file(INCOMING, envelope.queue_id)
        self.assertEqual(data[:2], b"C\x5f")
        numbers = [int(text) for text in data[2:97].split()]
        start = numbers[1]
        self.assertEqual(numbers, [21, start, 1, 0, 21, 0])
        self.assertEqual(data[start - 2 : start], b"M\x00")
        self.assertEqual(data[start:], b"N\x0aSubject: sN\x00N\x05helloX\x00E\x00")
        order = [b"T", b"create_time", b"log_ident", b"rewrite_context", b"sender@", b"log_client_name",
                 b"log_message_origin=client.example[192.0.2.1]", b"reverse_client_name",
                 b"client_address_type=2", b"R\x0dr@example.com"]  # fmt: skip
        places = [data.index(text) for text in order]
        self.assertEqual(places, sorted(places))
        recipient = envelope.recipients[0]
        self.assertEqual(data[recipient.offset : recipient.offset + 2], b"R\x0d")

    def test_name_and_mode(self) -> None:
        """QU-3, QU-4: the name has the inode, the mode says that the file is complete."""
        envelope = self.spool.put(SMALL, b"r@example.com", queue=ACTIVE)
        status = os.stat(f"{self.spool.path}/active/{envelope.queue_id}")
        self.assertEqual(status.st_mode & 0o7777, 0o700)
        self.assertTrue(envelope.queue_id.endswith(f"{status.st_ino:X}"))
        self.assertEqual(os.listdir(f"{self.spool.path}/incoming"), [])

    def test_long_names(self) -> None:
        """QU-3: enable_long_queue_ids."""
        spool = Spool(self.mktemp(), enable_long_queue_ids="yes")
        self.assertIn("z", spool.put(SMALL, b"r@example.com").queue_id)

    def test_all_of_the_envelope(self) -> None:
        """RF-5: what is written is what is read."""
        recipients = [
            Recipient(b"a@x", b"orig@x", b"rfc822;o@x", NOTIFY_SUCCESS | NOTIFY_DELAY),
            Recipient(b"b@x"),
        ]
        new = result(self.spool.store.create())
        new.content(SMALL)
        envelope = Envelope(
            sender=b"a b@x", recipients=recipients, arrival=1700000000.25, encoding="8bit", rewrite_context="remote",
            log_ident="ORIGIN", client=CLIENT, origin=Client("o.example", "192.0.2.9", "9", "h", "SMTP"),
            dsn_envid=b"id", dsn_ret=RET_HDRS, sendopts=5, trace_flags=TRACE_RECORD, content_filter="f:n",
            redirect=b"to@x", verp="+=", full_name=b"F N", warn_time=1700000100, attributes={"x_y": b"z"},
        )  # fmt: skip
        envelope.client.sasl_username = "user"
        written = result(new.commit(envelope, HOLD))
        message = result(self.spool.again().open(HOLD, written.queue_id))
        found = message.envelope
        message.close()
        written.flags = found.flags
        written.origin_ident = "ORIGIN"
        self.assertEqual(found, written)
        self.assertEqual(found.flags, (NOTIFY_SUCCESS | NOTIFY_DELAY) << 1)

    def test_content_in_pieces(self) -> None:
        """Pieces may end inside a line."""
        for piece in (1, 7, 5000, 65536):
            content = LARGE if piece > 1000 else SMALL
            queue_id = self.spool.put(content, b"r@x", piece=piece).queue_id
            message = result(self.spool.again().open(INCOMING, queue_id))
            self.assertIsNone(message.cached())
            self.assertEqual(b"".join(collected(message.body())), content)
            message.close()

    def test_many_recipients_of_a_large_mail(self) -> None:
        """Recipients that do not fit before the content stand behind it (RF-3)."""
        many = [b"recipient%d@example.com" % number for number in range(500)]
        envelope = self.spool.put(LARGE, *many)
        message = result(self.spool.again().open(INCOMING, envelope.queue_id))
        self.assertEqual([item.address for item in message.envelope.recipients], many)
        self.assertEqual(message.envelope.recipients, envelope.recipients)
        self.assertTrue(envelope.recipients[0].offset < envelope.content_offset < envelope.recipients[-1].offset)
        message.close()

    def test_unfinished_line(self) -> None:
        new = result(self.spool.store.create())
        new.content(b"no end")
        queue_id = result(new.commit(Envelope(sender=b"s", arrival=1.0))).queue_id
        message = result(self.spool.again().open(INCOMING, queue_id))
        self.assertEqual(b"".join(collected(message.body())), b"no end\r\n")
        message.close()
        fresh = result(self.spool.store.open(INCOMING, queue_id))
        self.assertEqual(fresh.cached(), b"no end\r\n")
        fresh.close()

    def test_abort(self) -> None:
        new = result(self.spool.store.create())
        new.content(LARGE)
        new.abort()
        new.abort()
        self.failureResultOf(new.commit(Envelope()), QueueError)
        self.assertEqual(os.listdir(f"{self.spool.path}/incoming"), [])

    def test_batches(self) -> None:
        """Files that are ready together are committed together: one flush of the directory."""
        flushed: list[int] = []
        disk: Any = type("Counting", (type(self.spool.host.disk),), {})()
        disk.fsync = flushed.append
        spool = self.spool
        spool.host.disk = disk
        store = spool.again()
        held: list[Any] = []
        spool.host.threads.run = lambda function, *args: _Held(held, function, args)  # type: ignore[assignment,method-assign]
        waiting = []
        for _ in range(5):
            new = result(store.create())
            new.content(SMALL)
            waiting.append(new.commit(Envelope(sender=b"s", arrival=1.0)))
        _Held.run_all(held)
        for done in waiting:
            result(done)
        self.assertEqual(len(flushed), 5 + 2)  # the first alone, four together
        self.assertEqual(len(os.listdir(f"{spool.path}/incoming")), 5)


class _Held:
    """A thread's work that is done when the test says so."""

    def __init__(self, held: list[Any], function: Any, args: Any) -> None:
        self._work = (function, args)
        held.append(self)

    def addCallback(self, callback: Any, *args: Any) -> None:
        self._callback = (callback, args)

    @staticmethod
    def run_all(held: list[Any]) -> None:
        while held:
            item = held.pop(0)
            function, args = item._work
            callback, more = item._callback
            callback(function(*args), *more)


class Failing(SynchronousTestCase):
    """The disk says no: the client hears of it, and nothing is left behind (SD-9, ST-5)."""

    def setUp(self) -> None:
        self.spool = Spool(self.mktemp())
        self.disk: Any = type("Failing", (type(self.spool.host.disk),), {})()
        self.spool.host.disk = self.disk
        self.store = self.spool.again()

    def _fails(self, *args: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    def _commit(self) -> Any:
        new = result(self.store.create())
        new.content(SMALL)
        return new.commit(Envelope(sender=b"s", arrival=1.0))

    def test_each_step(self) -> None:
        for step in ("writev", "fsync", "link"):
            setattr(self.disk, step, self._fails)
            self.failureResultOf(self._commit(), QueueError)
            delattr(self.disk, step)
            self.assertEqual(os.listdir(f"{self.spool.path}/incoming"), [])
        result(self._commit())

    def test_directory(self) -> None:
        """A name that may not be durable is taken back."""
        calls: list[int] = []

        def fsync(fd: int) -> None:
            calls.append(fd)
            if len(calls) > 1:
                self._fails()

        self.disk.fsync = fsync
        self.failureResultOf(self._commit(), QueueError)
        self.assertEqual(os.listdir(f"{self.spool.path}/incoming"), [])

    def test_create(self) -> None:
        self.disk.open = self._fails
        self.failureResultOf(self.store.create(), QueueError)

    def test_large(self) -> None:
        new = result(self.store.create())
        self.disk.writev = self._fails
        self.failureResultOf(new.content(LARGE), QueueError)
        self.failureResultOf(new.commit(Envelope()), QueueError)

    def test_without_tmpfile(self) -> None:
        """A file system without O_TMPFILE: a temporary name, then rename."""
        real = self.disk.open

        def no_tmpfile(path: str, flags: int, mode: int = 0o600) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "Operation not supported")
            found: int = real(path, flags, mode)
            return found

        self.disk.open = no_tmpfile
        queue_id = result(self._commit()).queue_id
        self.assertEqual(os.listdir(f"{self.spool.path}/incoming"), [queue_id])
        new = result(self.store.create())
        new.abort()
        self.assertEqual(os.listdir(f"{self.spool.path}/incoming"), [queue_id])


class Reading(SynchronousTestCase):
    def setUp(self) -> None:
        self.spool = Spool(self.mktemp())
        self.envelope = self.spool.put(SMALL, b"one@x", b"two@x", queue=ACTIVE, warn_time=5.0, trace_flags=TRACE_RECORD)
        self.queue_id = self.envelope.queue_id

    def test_fresh(self) -> None:
        """A small mail that has just come is not read again."""
        message = result(self.spool.store.open(ACTIVE, self.queue_id))
        self.assertIs(message.envelope, self.envelope)
        self.assertEqual(message.cached(), SMALL)
        self.assertEqual(collected(message.body()), [SMALL])
        message.close()

    def test_at_hand(self) -> None:
        """What is in memory needs no open file, but for its marks."""
        self.assertIsNone(self.spool.again().at_hand(self.queue_id))
        message = self.spool.store.at_hand(self.queue_id)
        assert message is not None
        self.assertEqual((message.fd, message.cached()), (-1, SMALL))
        recipient = message.envelope.recipients[0]
        message.done(recipient)
        message.close()
        self.spool.turn()
        self.assertEqual(self.spool.file(ACTIVE, self.queue_id)[recipient.offset :][:1], b"D")

    def test_expired_by_hand(self) -> None:
        """QU-4: the mode bit is looked at, whatever is in memory."""
        os.chmod(self.spool.store.paths.path(ACTIVE, self.queue_id), 0o710)
        for store in (self.spool.store, self.spool.again()):
            message = result(store.open(ACTIVE, self.queue_id))
            self.assertTrue(message.envelope.force_expired)
            message.close()

    def test_lock(self) -> None:
        """ST-7: agents share a message; who wants to be alone with it hears that it is still being delivered."""
        first = result(self.spool.store.open(ACTIVE, self.queue_id))
        second = result(self.spool.again().open(ACTIVE, self.queue_id))
        failure = self.failureResultOf(self.spool.again().open(ACTIVE, self.queue_id, alone=True), MessageBusy)
        self.assertIn("skipped, still being delivered", str(failure.value))
        first.close()
        second.close()
        alone = result(self.spool.again().open(ACTIVE, self.queue_id, alone=True))
        self.failureResultOf(self.spool.store.open(ACTIVE, self.queue_id), MessageBusy)
        result(self.spool.again().open(ACTIVE, self.queue_id, lock=False)).close()
        alone.close()
        result(self.spool.store.open(ACTIVE, self.queue_id)).close()

    def test_done(self) -> None:
        """ST-2, ST-6: the record's type is overwritten at the end of the turn, also when the handle was closed."""
        for close_first in (False, True):
            message = result(self.spool.again().open(ACTIVE, self.queue_id))
            recipient = message.envelope.recipients[close_first]
            store: Any = message._store
            message.done(recipient)
            if close_first:
                message.close()
            self.assertEqual(self.spool.file(ACTIVE, self.queue_id)[recipient.offset :][:1], b"R")
            self.spool.turn()
            self.assertEqual(self.spool.file(ACTIVE, self.queue_id)[recipient.offset :][:1], b"D")
            message.close()
            self.assertEqual(store._marked, {})
        message = result(self.spool.again().open(ACTIVE, self.queue_id))
        self.assertEqual([item.done for item in message.envelope.recipients], [True, True])
        message.close()

    def test_done_and_removed(self) -> None:
        """A message that is removed in the same turn is not written to."""
        message = result(self.spool.store.open(ACTIVE, self.queue_id))
        message.done(message.envelope.recipients[0])
        fd = message.fd
        message.close()
        os.fstat(fd)
        result(self.spool.store.remove(ACTIVE, self.queue_id))
        self.assertRaises(OSError, os.fstat, fd)
        self.spool.turn()
        self.failureResultOf(self.spool.store.open(ACTIVE, self.queue_id), NoSuchMessage)

    def test_update(self) -> None:
        """warn_time is cleared as Postfix does it, a trace request is killed."""
        message = result(self.spool.store.open(ACTIVE, self.queue_id))
        message.envelope.warn_time = 0
        message.envelope.trace_flags = 0
        message.envelope.flags = 1
        result(self.spool.store.update(message))
        message.close()
        data = self.spool.file(ACTIVE, self.queue_id)
        self.assertIn(b"W\x0f             -1", data)
        self.assertIn(b"K\x10trace_flags=1024", data)
        found = result(self.spool.again().open(ACTIVE, self.queue_id))
        self.assertEqual((found.envelope.warn_time, found.envelope.trace_flags, found.envelope.flags), (-1, 0, 1))
        found.close()

    def test_expired(self) -> None:
        """QU-4: a mode bit says that a message was expired by hand."""
        os.chmod(f"{self.spool.path}/active/{self.queue_id}", 0o710)
        message = result(self.spool.again().open(ACTIVE, self.queue_id))
        self.assertTrue(message.envelope.force_expired)
        message.close()

    def test_corrupt(self) -> None:
        path = f"{self.spool.path}/active/{self.queue_id}"
        good = self.spool.file(ACTIVE, self.queue_id)
        at = self.envelope.recipients[0].offset
        for bad in (b"", b"garbage", good[:50], good[:-2], good[:at] + b"\0" + good[at + 1 :], b"E\0", b"M\0X\0E\0"):
            with open(path, "wb") as file:
                file.write(bad)
            self.failureResultOf(self.spool.again().open(ACTIVE, self.queue_id), CorruptMessage)

    def test_bad_name(self) -> None:
        self.failureResultOf(self.spool.store.open(ACTIVE, "../../etc/passwd"), NoSuchMessage)


class Moving(SynchronousTestCase):
    def setUp(self) -> None:
        self.spool = Spool(self.mktemp())
        self.store = self.spool.store

    def test_hashed(self) -> None:
        """QU-2, QU-5: deferred/ has subdirectories; the time of the next attempt is the file's time."""
        queue_id = self.spool.put(SMALL, b"r@x", queue=ACTIVE).queue_id
        result(self.store.move(queue_id, ACTIVE, DEFERRED, 1800000000.0))
        path = f"{self.spool.path}/deferred/{queue_id[0]}/{queue_id}"
        self.assertEqual(os.stat(path).st_mtime, 1800000000.0)
        (entry,) = collected(self.store.scan(DEFERRED))
        self.assertEqual((entry.queue, entry.queue_id, entry.mtime), (DEFERRED, queue_id, 1800000000.0))
        result(self.store.touch(DEFERRED, queue_id, 1900000000.0))
        self.assertEqual(os.stat(path).st_mtime, 1900000000.0)
        result(self.store.move(queue_id, DEFERRED, ACTIVE))
        message = result(self.store.open(ACTIVE, queue_id))
        self.assertIsNone(message.cached())
        message.close()

    def test_gone(self) -> None:
        self.failureResultOf(self.store.move("ABCDE1", ACTIVE, DEFERRED), NoSuchMessage)
        self.failureResultOf(self.store.remove(ACTIVE, "ABCDE1"), NoSuchMessage)
        self.failureResultOf(self.store.touch(ACTIVE, "ABCDE1", 1.0), NoSuchMessage)

    def test_scan_sees_complete_files(self) -> None:
        """QU-4: a file without x bit is still written."""
        queue_id = self.spool.put(SMALL, b"r@x").queue_id
        other = self.spool.put(SMALL, b"r@x").queue_id
        os.chmod(f"{self.spool.path}/incoming/{other}", 0o600)
        with open(f"{self.spool.path}/incoming/1.2", "w"):
            os.chmod(f"{self.spool.path}/incoming/1.2", 0o700)
        self.assertEqual([entry.queue_id for entry in collected(self.store.scan(INCOMING))], [queue_id])

    def test_free_space(self) -> None:
        """The answer is kept for a second."""
        free = self.store.free_space()
        self.assertGreater(free, 0)
        self.spool.host.disk = None  # type: ignore[assignment]
        self.assertEqual(self.store.free_space(), free)

    def test_memory_is_bounded(self) -> None:
        from pytwfix.spool.cache import FreshMessages

        cache = FreshMessages(10000)
        for number in range(10):
            cache.put(Envelope(queue_id=str(number), size=1000), [b"x"])
        kept = [number for number in range(10) if cache.get(str(number))]
        self.assertEqual(kept, [7, 8, 9])


class Removing(SynchronousTestCase):
    def test_together(self) -> None:
        """What is asked for while a thread is at work is removed by the next one, in one go."""
        spool = Spool(self.mktemp())
        held: list[Any] = []
        ids = [spool.put(SMALL, b"r@x", queue=ACTIVE).queue_id for _ in range(4)]
        spool.host.threads.run = lambda function, *args: _Held(held, function, args)  # type: ignore[assignment,method-assign]
        store = spool.again()
        done = [store.remove(ACTIVE, queue_id) for queue_id in ids]
        self.assertEqual(len(held), 1)
        self.assertNoResult(done[0])
        missing = store.remove(ACTIVE, "ABCDE1")
        _Held.run_all(held)
        for removed in done:
            result(removed)
        self.failureResultOf(missing, NoSuchMessage)
        self.assertEqual(os.listdir(f"{spool.path}/active"), [])

    def test_refused(self) -> None:
        spool = Spool(self.mktemp())
        os.mkdir(f"{spool.path}/active/ABCDE1")
        self.failureResultOf(spool.store.remove(ACTIVE, "ABCDE1"), QueueError)
