"""master/plancodec.py and master/frozen.py: what a reload carries."""

from __future__ import annotations

import os

import msgpack
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.ipc.frames import Malformed
from pytwfix.master.frozen import read_again
from pytwfix.master.plancodec import pack_plan, unpack_plan
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.mastercf import Service
from tests.unit.master.test_plan import named, plan_of


class Plans(SynchronousTestCase):
    """MA-5: the children get what the master has read."""

    def test_a_plan(self) -> None:
        plan = plan_of(self, "myhostname = mx.x.example\nmessage_size_limit = 5\n")
        data = msgpack.packb(pack_plan(plan), unicode_errors="surrogateescape")
        found = unpack_plan(msgpack.unpackb(data, use_list=False, unicode_errors="surrogateescape"))
        self.assertEqual(found.directory, plan.directory)
        self.assertEqual(found.main.values, plan.main.values)
        self.assertEqual(found.main.lines, plan.main.lines)
        for one, other in zip(found.services, plan.services, strict=True):
            for name in Service.__slots__:
                self.assertEqual(getattr(one, name), getattr(other, name))
        relay = named(found, "relay")
        self.assertEqual(found.view(relay).expand("$syslog_name"), "postfix/relay")

    def test_malformed(self) -> None:
        self.assertRaises(Malformed, unpack_plan, (1, 2))
        self.assertRaises(Malformed, unpack_plan, ("d", "p", {}, {}, [[1]]))


class Frozen(SynchronousTestCase):
    """MA-5: what a reload does not change."""

    def _rewrite(self, directory: str, main: str) -> None:
        with open(f"{directory}/main.cf", "w") as file:
            file.write(main)

    def test_ignored(self) -> None:
        plan = plan_of(self, "inet_interfaces = 127.0.0.1\nmyhostname = a.example\n")
        self._rewrite(plan.directory, "inet_interfaces = 127.0.0.1, 127.0.0.2\nmyhostname = b.example\n")
        again, warnings = read_again(plan)
        self.assertEqual(again.settings.inet_interfaces, "127.0.0.1")
        self.assertEqual(again.settings.myhostname, "b.example")
        self.assertEqual(
            warnings,
            [
                "ignoring inet_interfaces parameter value change",
                'old value: "127.0.0.1", new value: "127.0.0.1, 127.0.0.2"',
                "to change inet_interfaces, stop and start Postfix",
            ],
        )

    def test_nothing_changed(self) -> None:
        plan = plan_of(self, "myhostname = a.example\n")
        self.assertEqual(read_again(plan)[1], [])

    def test_mistakes(self) -> None:
        """They leave everything as it was: the caller keeps the old plan."""
        plan = plan_of(self, "myhostname = a.example\n")
        self._rewrite(plan.directory, "queue_directory = /other\nmaillog_file = /root/x\n")
        self.assertRaises(SettingsError, read_again, plan)
        os.unlink(f"{plan.directory}/main.cf")
        self.assertRaises(SettingsError, read_again, plan)
