"""The man pages are what the source says, and every command and daemon has one."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pytwfix.master import catalogue
from pytwfix.settings import registry
from tests.house.sources import ROOT


def generator() -> ModuleType:
    """tools/make-man.py, whose name is a command's and no module's."""
    spec = spec_from_file_location("make_man", os.path.join(ROOT, "tools", "make-man.py"))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def console_scripts() -> list[str]:
    with open(os.path.join(ROOT, "setup.cfg"), encoding="utf-8") as file:
        lines = file.read().partition("console_scripts =")[2].splitlines()
    return [line.partition("=")[0].strip() for line in lines if "=" in line]


class TestMan(SynchronousTestCase):
    def setUp(self) -> None:
        self.man = generator()

    def test_fresh(self) -> None:
        """To write them anew: python tools/make-man.py"""
        self.assertEqual(self.man.stale(), [])

    def test_complete(self) -> None:
        pages = self.man.pages()
        for command in console_scripts():
            self.assertIn(f"man/man1/{command}.1", pages)
        for program in catalogue.ROOMS:
            name = {"oqmgr": "qmgr"}.get(program, program)
            self.assertIn(f"man/man8/{name}.8", pages)
        for name in registry.parameters():
            self.assertIn(f"\\fB{self.man.escaped(name)}\\fR (default", pages["man/man5/postconf.5"])

    def test_markup(self) -> None:
        self.assertEqual(self.man.inline("a `-b` *c* .d"), "a \\fB\\-b\\fR \\fIc\\fR .d")
        self.assertEqual(self.man.inline(".d"), "\\&.d")
        self.assertEqual(self.man.inline("SD-* and PC-*"), "SD\\-* and PC\\-*")
        lines = ["para", "graph", "", "-x y", "    What", "    it is.", "", "```", "  as is", "```", "end"]
        self.assertEqual(list(self.man.paragraphs(lines)), [
            ".PP", "para graph", ".TP", "\\fB\\-x y\\fR", "What it is.", ".sp", ".PP", ".nf", "  as is", ".fi",
            ".PP", "end",
        ])  # fmt: skip

    def test_readable(self) -> None:
        """man(1) has nothing to complain of."""
        if shutil.which("groff") is None:
            raise SkipTest("there is no groff here")
        for path in self.man.pages():
            groff = ["groff", "-man", "-Tutf8", "-ww", "-Wbreak", "-z", os.path.join(ROOT, path)]
            run = subprocess.run(groff, capture_output=True, timeout=60)
            self.assertEqual(run.stderr, b"", path)
