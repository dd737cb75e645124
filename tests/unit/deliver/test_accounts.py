"""Users by name, with a short memory."""

from __future__ import annotations

import os
import pwd

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.deliver import accounts
from pytwfix.deliver.accounts import Account, Accounts
from tests.kit.host import MemoryHost


class AccountTests(SynchronousTestCase):
    def find(self, name: str) -> Account | None:
        return self.successResultOf(Deferred.fromCoroutine(self.accounts.find(name)))  # type: ignore[no-any-return]

    def test_memory(self) -> None:
        """LO-1: a burst of mail asks the user database once, for unknown users too; not for ever."""
        asked: list[str] = []
        self.patch(accounts, "by_name", asked.append)
        host = MemoryHost()
        self.accounts = Accounts(host)
        for _ in range(3):
            self.assertIsNone(self.find("x"))
        host.clock.advance(11)
        self.find("x")
        self.assertEqual(asked, ["x", "x"])

    def test_real(self) -> None:
        """LO-1: as the system has it; nonsense is nobody."""
        entry = pwd.getpwuid(os.getuid())
        found = accounts.by_name(entry.pw_name)
        assert found is not None
        self.assertEqual((found.uid, found.home), (entry.pw_uid, entry.pw_dir))
        self.assertEqual(accounts.by_uid(os.getuid()), found)
        for name in ("", "a:b", "a\0b", "../x", "\udcff", "no-such-user-here"):
            self.assertIsNone(accounts.by_name(name))
        self.assertIsNone(accounts.by_uid(2**31 - 7))
        self.assertIsNone(accounts.group_id("no-such-group-here"))
