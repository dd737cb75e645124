"""Types that other packages bring, and dynamicmaps.cf (MT-13)."""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoint
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.tables import TableMisconfigured
from pytwfix.tables import plugins
from pytwfix.tables.driver import Driver
from pytwfix.tables.registry import types
from tests.kit.tables import MemoryTables


class Reversed(Driver):
    """What a plug-in may be."""

    def find(self, key: bytes) -> bytes | None:
        return key[::-1]


class PluginTests(SynchronousTestCase):
    def setUp(self) -> None:
        module = ModuleType("pytwfix_reversed")
        module.Reversed = Reversed  # type: ignore[attr-defined]
        module.nothing = 1  # type: ignore[attr-defined]
        self.patch(sys, "modules", {**sys.modules, "pytwfix_reversed": module})

    def install(self, **points: str) -> None:
        """As if a package with these entry points were installed."""
        found = [EntryPoint(name, value, plugins.GROUP) for name, value in points.items()]

        def entry_points(group: str, name: str = "") -> list[EntryPoint]:
            return [point for point in found if group == point.group and name in ("", point.name)]

        self.patch(plugins, "entry_points", entry_points)

    def test_entry_point(self) -> None:
        """MT-13: a package adds a type; `postconf -m` shows it."""
        self.install(rev="pytwfix_reversed:Reversed")
        tables = MemoryTables()
        self.assertEqual(tables.driver("rev:x").get(b"Abc"), b"cba")
        self.assertEqual(tables.driver("unionmap:{static:a, rev:x}").get(b"bc"), b"a,cb")
        self.assertIn("rev", types())
        self.assertIn("proxy", types())

    def test_broken(self) -> None:
        """LK-13: a plug-in that cannot be used makes a table that cannot be used, no more."""
        self.install(one="pytwfix_reversed:Nobody", two="pytwfix_nowhere:X", three="pytwfix_reversed:nothing")
        for kind in ("one", "two", "three"):
            error = self.assertRaises(TableMisconfigured, MemoryTables().driver, f"{kind}:x")
            self.assertIn(f"unsupported dictionary type: {kind}: ", error.reason)

    def test_dynamicmaps(self) -> None:
        """MT-13: Postfix's own list is accepted; what it names for Postfix is no help, Python classes are."""
        directory = os.path.abspath(self.mktemp())
        os.makedirs(f"{directory}/dynamicmaps.cf.d")
        with open(f"{directory}/dynamicmaps.cf", "w") as file:
            file.write("# type so open make\nsqlite\tpostfix-sqlite.so\tdict_sqlite_open\nodd odd.so dict_odd_open\n")
        with open(f"{directory}/dynamicmaps.cf.d/rev.cf", "w") as file:
            file.write("rev pytwfix_reversed:Reversed\n")
        tables = MemoryTables({"meta_directory": directory})
        self.assertEqual(tables.driver("rev:x").get(b"ab"), b"ba")
        error = self.assertRaises(TableMisconfigured, tables.driver, "odd:x")
        self.assertIn("odd.so in dynamicmaps.cf is for Postfix's own programs", error.reason)
        error = self.assertRaises(TableMisconfigured, tables.driver, "other:x")
        self.assertEqual(error.reason, "unsupported dictionary type: other")
