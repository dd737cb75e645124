"""master/permissions.py: accounts and what they may read."""

from __future__ import annotations

import os
import pwd

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master import permissions
from pytwfix.master.permissions import Account, account, acting, check
from pytwfix.master.startup import StartError

ROOT = os.geteuid() == 0


class Accounts(SynchronousTestCase):
    """HOUSE 3: mail_owner."""

    def test_missing(self) -> None:
        """Fatal, with what would make it."""
        error = self.assertRaises(StartError, account, "no-such-user")
        self.assertEqual(
            str(error),
            "mail_owner no-such-user: no such user; make it with: "
            "useradd -r -M -d /var/spool/postfix -s /usr/sbin/nologin no-such-user",
        )
        error = self.assertRaises(StartError, account, "nobody", "no-such-group")
        self.assertIn("groupadd -r no-such-group", str(error))

    def test_root(self) -> None:
        """mail_owner must not be root."""
        self.assertRaises(StartError, account, "root")

    def test_found(self) -> None:
        found, known = account("nobody"), pwd.getpwnam("nobody")
        self.assertEqual((found.uid, found.gid), (known.pw_uid, known.pw_gid))
        self.assertIn(found.gid, found.groups)


class Reading(SynchronousTestCase):
    """What a process that has become mail_owner needs."""

    if not ROOT:
        skip = "needs root"

    def setUp(self) -> None:
        self.nobody = account("nobody")
        self.directory = os.path.abspath(self.mktemp())
        os.makedirs(self.directory)
        with open(f"{self.directory}/main.cf", "w"):
            pass

    def test_acting(self) -> None:
        """The rights come back."""
        before = (os.geteuid(), os.getegid(), os.getgroups())
        with acting(self.nobody):
            self.assertEqual((os.geteuid(), os.getegid()), (self.nobody.uid, self.nobody.gid))
        self.assertEqual((os.geteuid(), os.getegid(), os.getgroups()), before)

    def test_closed_folder(self) -> None:
        """The folder that is in the way is named."""
        self.patch(permissions, "needed", lambda directory: [(f"{directory}/main.cf", os.R_OK)])
        os.chmod(self.directory, 0o700)
        error = self.assertRaises(StartError, check, self.directory, self.nobody)
        self.assertEqual(
            str(error), f"mail_owner nobody cannot read {self.directory}/main.cf: {self.closed()} is closed to it"
        )

    def closed(self) -> str:
        """The first closed folder on the way: where tests run may be closed too."""
        folder = ""
        for part in self.directory.split("/")[1:]:
            folder += f"/{part}"
            if not os.stat(folder).st_mode & 0o001:
                return folder
        raise AssertionError("open")

    def test_closed_file(self) -> None:
        path = "/tmp" if os.stat("/tmp").st_mode & 0o001 else ""
        if not path:
            self.skipTest("/tmp is closed")
        folder = f"/tmp/pytwfix-permissions-{os.getpid()}"
        os.mkdir(folder, 0o755)
        self.addCleanup(os.rmdir, folder)
        self.patch(permissions, "needed", lambda directory: [(f"{directory}/main.cf", os.R_OK)])
        self.assertIn("it does not exist", str(self.assertRaises(StartError, check, folder, self.nobody)))
        with open(f"{folder}/main.cf", "w"):
            self.addCleanup(os.unlink, f"{folder}/main.cf")
        os.chmod(f"{folder}/main.cf", 0o600)
        self.assertIn("permission denied", str(self.assertRaises(StartError, check, folder, self.nobody)))
        os.chmod(f"{folder}/main.cf", 0o644)
        check(folder, self.nobody)

    def test_needed(self) -> None:
        """Interpreter, library, package, configuration."""
        paths = [path for path, _ in permissions.needed(self.directory)]
        self.assertIn(self.directory, paths)
        self.assertIn(os.path.dirname(os.__file__), paths)
        self.assertTrue(any(path.endswith("/pytwfix") for path in paths))


class Becoming(SynchronousTestCase):
    def test_order(self) -> None:
        """Groups first, while there still is the right to."""
        done: list[str] = []
        for name in ("setgroups", "setresgid", "setresuid"):
            self.patch(os, name, lambda *_, name=name: done.append(name))
        permissions.become(Account("x", 1, 1, (1,)))
        self.assertEqual(done, ["setgroups", "setresgid", "setresuid"])
