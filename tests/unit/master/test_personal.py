"""master/personal.py: a mail system of one's own."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master.personal import Folders, folders, write
from pytwfix.master.plan import read_plan


class Places(SynchronousTestCase):
    def test_user(self) -> None:
        self.assertEqual(folders({"HOME": "/h"}, 5), Folders("/h/.config/pytwfix", "/h/.local/state/pytwfix"))
        environment = {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "HOME": "/h"}
        self.assertEqual(folders(environment, 5), Folders("/c/pytwfix", "/s/pytwfix"))

    def test_root(self) -> None:
        """Root's home is closed to those who do the work."""
        self.assertEqual(folders({"HOME": "/root"}, 0).config, "/var/lib/pytwfix/config")


class Files(SynchronousTestCase):
    def test_dollar(self) -> None:
        """MC-3: a folder's name is no parameter."""
        place = os.path.abspath(self.mktemp()) + "/a$b"
        where = Folders(f"{place}/config", f"{place}/state")
        write(where, "me")
        plan = read_plan(where.config)
        self.assertEqual(plan.settings.queue_directory, f"{place}/state/spool")
        self.assertIn(f'"{place}/state/Maildir/"', plan.snapshot.expand("$alias_maps"))

    def test_kept(self) -> None:
        """They are written once."""
        place = os.path.abspath(self.mktemp())
        where = Folders(f"{place}/config", f"{place}/state")
        write(where, "me")
        with open(f"{where.config}/main.cf", "a") as file:
            file.write("mail_name = Mine\n")
        write(where, "me")
        self.assertEqual(read_plan(where.config).settings.mail_name, "Mine")
