"""Files of a user, in a temporary directory, as the user who runs the tests."""

from __future__ import annotations

import fcntl
import os
import stat
import time

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.asuser import AsUserError, FileRead, MailboxWrite
from pytwfix.keeper import verbs


class Files(SynchronousTestCase):
    def setUp(self) -> None:
        self.base = os.path.abspath(self.mktemp())
        os.makedirs(self.base)

    def path(self, name: str) -> str:
        return os.path.join(self.base, name)

    def make(self, name: str, data: bytes = b"", mode: int = 0o600) -> str:
        with open(self.path(name), "wb") as file:
            file.write(data)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def content(self, name: str) -> bytes:
        with open(self.path(name), "rb") as file:
            return file.read()


class MboxTests(Files):
    def refused(self, request: MailboxWrite) -> AsUserError:
        return self.assertRaises(AsUserError, verbs.write, request)  # type: ignore[no-any-return]

    def test_made_and_appended(self) -> None:
        """LO-4: a missing mbox is made with mode 0600; the next mail goes behind the first; no lock stays."""
        for _ in range(2):
            verbs.write(MailboxWrite(self.path("mb"), b"From x\n\n", ("fcntl", "flock", "dotlock")))
        self.assertEqual(self.content("mb"), b"From x\n\n" * 2)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("mb")).st_mode), 0o600)
        self.assertEqual(os.listdir(self.base), ["mb"])

    def test_limit(self) -> None:
        """VI-1, LO-4: an mbox does not grow beyond its limit, and is as it was when the mail does not fit."""
        self.make("mb", b"12345")
        error = self.refused(MailboxWrite(self.path("mb"), b"123456", size_limit=10))
        self.assertEqual((error.kind, error.text), ("toolarge", "error writing message: File too large"))
        self.assertEqual(self.content("mb"), b"12345")

    def test_partial_write_is_taken_back(self) -> None:
        """LO-4: what could not be written whole is cut off again."""
        self.make("mb", b"old")

        def half(fd: int, data: object) -> int:
            os.pwrite(fd, b"ha", 3)
            raise OSError(28, "full")

        self.patch(verbs, "_write_all", half)
        error = self.refused(MailboxWrite(self.path("mb"), b"half"))
        self.assertEqual((error.kind, error.text), ("nospace", "error writing message: No space left on device"))
        self.assertEqual(self.content("mb"), b"old")

    def test_dotlock_of_another(self) -> None:
        """LO-4: a fresh lock file is respected; an old one is taken over (stale_lock_time)."""
        self.make("mb.lock")
        request = MailboxWrite(self.path("mb"), b"x", ("dotlock",), stale_lock=500)
        error = self.refused(request)
        self.assertEqual(error.kind, "locked")
        self.assertEqual(error.text, f"unable to create lock file {self.path('mb.lock')}: File exists")
        long_ago = time.time() - 501
        os.utime(self.path("mb.lock"), (long_ago, long_ago))
        verbs.write(request)
        self.assertEqual(os.listdir(self.base), ["mb"])

    def test_flock_of_another(self) -> None:
        """LO-4: flock is tried without waiting."""
        with open(self.make("mb"), "rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            error = self.refused(MailboxWrite(self.path("mb"), b"x", ("flock",)))
        self.assertEqual(error.kind, "locked")

    def test_dotlock_that_cannot_be_made(self) -> None:
        """VI-1 wants the lock; for local (LO-4) opening the file decides."""
        strict = self.refused(MailboxWrite(self.path("no/mb"), b"x", ("dotlock",)))
        self.assertIn("unable to create lock file", strict.text)
        self.assertIn("mb.lock: No such file or directory", strict.text)
        lax = self.refused(MailboxWrite(self.path("no/mb"), b"x", ("dotlock",), lock_required=False))
        self.assertEqual(lax.text, "cannot create file exclusively: No such file or directory")

    def test_hard_links_and_directories(self) -> None:
        """LO-4: a file with two names is not a mailbox, nor is a directory."""
        os.link(self.make("a"), self.path("b"))
        self.assertEqual(self.refused(MailboxWrite(self.path("a"), b"x")).text, "file has 2 hard links")
        os.mkdir(self.path("d"))
        self.assertEqual(self.refused(MailboxWrite(self.path("d"), b"x")).text, "cannot open file: Is a directory")

    def test_own_link_is_followed(self) -> None:
        """LO-4: a symbolic link of the user's own is his to make."""
        os.symlink(self.make("real"), self.path("link"))
        verbs.write(MailboxWrite(self.path("link"), b"x"))
        self.assertEqual(self.content("real"), b"x")

    def test_foreign_link_is_not_followed(self) -> None:
        """LO-4: a link that somebody else put there is not."""
        os.symlink(self.make("real"), self.path("link"))
        self.patch(os, "geteuid", lambda: 4711)
        os.lchown(self.path("link"), 4712, 4712) if os.getuid() == 0 else None
        if os.lstat(self.path("link")).st_uid == 0:
            return
        self.refused(MailboxWrite(self.path("link"), b"x"))
        self.assertEqual(self.content("real"), b"")

    def test_foreign_owner(self) -> None:
        """VI-1, LO-4: strict_mailbox_ownership."""
        self.make("mb")
        self.patch(os, "geteuid", lambda: 4711)
        error = self.refused(MailboxWrite(self.path("mb"), b"x"))
        self.assertEqual(error.text, f"destination {self.path('mb')} is not owned by recipient")
        verbs.write(MailboxWrite(self.path("mb"), b"x", strict_owner=False))
        self.assertEqual(self.content("mb"), b"x")

    def test_device(self) -> None:
        """LO-8: /dev/null is a destination, without lock or checks."""
        verbs.write(MailboxWrite("/dev/null", b"x", ("fcntl", "dotlock")))
        self.assertFalse(os.path.exists("/dev/null.lock"))


class MaildirTests(Files):
    def test_made_with_parents(self) -> None:
        """VI-1: missing directories are made with mode 0700; the mail is in new/ and tmp/ is empty."""
        verbs.write(MailboxWrite(self.path("a/b/"), b"mail\n", hostname="mx.example.com"))
        self.assertEqual(sorted(os.listdir(self.path("a/b"))), ["cur", "new", "tmp"])
        self.assertEqual(os.listdir(self.path("a/b/tmp")), [])
        (name,) = os.listdir(self.path("a/b/new"))
        self.assertRegex(name, r"^\d+\.V[0-9a-f]+I[0-9a-f]+M\d+\.mx\.example\.com$")
        self.assertEqual(self.content("a/b/new/" + name), b"mail\n")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("a")).st_mode), 0o700)

    def test_made_by_two_at_once(self) -> None:
        """VI-1: another delivery makes the same directories between our look and our mkdir."""
        mkdir = os.mkdir

        def overtaken(path: str, mode: int = 0o777) -> None:
            if os.path.exists(os.path.dirname(path)):
                mkdir(path, mode)
            mkdir(path, mode)

        self.patch(os, "mkdir", overtaken)
        verbs.write(MailboxWrite(self.path("a/b/"), b"mail\n"))
        self.assertEqual(len(os.listdir(self.path("a/b/new"))), 1)

    def test_names_differ(self) -> None:
        """VI-1: many mails in one second are many files."""
        for _ in range(50):
            verbs.write(MailboxWrite(self.path("m/"), b"x"))
        self.assertEqual(len(os.listdir(self.path("m/new"))), 50)

    def test_limit(self) -> None:
        """VI-1: virtual_mailbox_limit is the size of one mail in a Maildir; nothing is left behind."""
        error = self.assertRaises(AsUserError, verbs.write, MailboxWrite(self.path("m/"), b"123", size_limit=2))
        self.assertEqual((error.kind, os.listdir(self.base)), ("toolarge", []))

    def test_failure_leaves_nothing(self) -> None:
        """VI-1: a mail that could not be written leaves tmp/ empty."""
        verbs.write(MailboxWrite(self.path("m/"), b"x"))

        def full(fd: int, data: object) -> None:
            raise OSError(122, "quota")

        self.patch(verbs, "_write_all", full)
        error = self.assertRaises(AsUserError, verbs.write, MailboxWrite(self.path("m/"), b"x"))
        self.assertEqual((error.kind, error.text), ("quota", "error writing message: Disk quota exceeded"))
        self.assertEqual(os.listdir(self.path("m/tmp")), [])
        self.assertEqual(len(os.listdir(self.path("m/new"))), 1)


class ReadTests(Files):
    def refused(self, request: FileRead, owner: int | None = None) -> str:
        error = self.assertRaises(AsUserError, verbs.read, request, owner)
        return error.text  # type: ignore[no-any-return]

    def test_there_and_not_there(self) -> None:
        """LO-6: the content, or None."""
        self.assertEqual(verbs.read(FileRead(self.make("f", b"a, b\n"))), b"a, b\n")
        self.assertIsNone(verbs.read(FileRead(self.path("none"))))
        self.assertIsNone(verbs.read(FileRead(self.path("f/below"))))

    def test_world_writable(self) -> None:
        """LO-6: what everybody may write decides nothing."""
        path = self.make("f", b"x", 0o666)
        self.assertEqual(self.refused(FileRead(path)), f"file {path} is world writable")
        self.assertEqual(verbs.read(FileRead(path, owner_only=False)), b"x")

    def test_links_and_directories(self) -> None:
        """LO-6: a .forward is a regular file, not a link to one; AL-3: an :include: file may be a link."""
        os.symlink(self.make("real", b"x"), self.path("link"))
        self.assertEqual(self.refused(FileRead(self.path("link"))), f"file {self.path('link')} is not a regular file")
        self.assertEqual(verbs.read(FileRead(self.path("link"), owner_only=False)), b"x")
        self.assertEqual(self.refused(FileRead(self.base)), f"file {self.base} is not a regular file")

    def test_limit(self) -> None:
        """LO-6: no more than `limit` bytes are read."""
        self.assertIn("larger than 2 bytes", self.refused(FileRead(self.make("f", b"123"), limit=2)))

    def test_owner(self) -> None:
        """LO-6: it belongs to the user or to root."""
        path = self.make("f", b"x")
        uid = os.getuid()
        if uid == 0:
            os.chown(path, 4711, 4711)
            uid = 4711
        self.assertEqual(self.refused(FileRead(path), uid + 1), f"file {path} has bad owner uid {uid}")
        self.assertEqual(verbs.read(FileRead(path), uid), b"x")
