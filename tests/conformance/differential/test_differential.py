"""A short run of the generated comparison (PC-*, PM-*, MC-*, DN-*, MX-*, LK-*, MT-*, RX-*).

DIFFERENTIAL_SEED in the environment chooses other cases.
"""

from __future__ import annotations

import os

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.conformance.differential.judge import Judge
from tests.conformance.differential.kinds import KINDS
from tests.conformance.differential.known import real_release

CASES = 240  # of all kinds together


class DifferentialTests(SynchronousTestCase):
    def setUp(self) -> None:
        if not real_release().startswith("3.7."):
            raise SkipTest("the judge is Debian's Postfix 3.7, which is not installed")
        self.judge = Judge(as_command=20)

    def compare(self, kind: str) -> None:
        start = int(os.environ.get("DIFFERENTIAL_SEED", "0"))
        self.judge.run(KINDS[kind].strategy, CASES * KINDS[kind].weight // 100, start)
        self.assertEqual(self.judge.differences, [])

    def test_postconf_prints(self) -> None:
        """PC-0, PC-3, PC-4, PC-8..PC-10, MC-1..MC-5, DN-1..DN-4, MX-1..MX-3: what postconf prints and warns of."""
        self.compare("shown")

    def test_postconf_edits(self) -> None:
        """PC-4, PC-7: -e, -X and -# of main.cf and master.cf."""
        self.compare("edited")

    def test_indexed(self) -> None:
        """PM-1, PM-3, PM-5, MT-1: hash, btree, lmdb, cdb: made, asked, listed, changed."""
        self.compare("indexed")

    def test_aliases(self) -> None:
        """PM-2: aliases."""
        self.compare("aliases")

    def test_regexp(self) -> None:
        """MT-2, MT-3, RX-1..RX-5: regexp and pcre."""
        self.compare("regexp")

    def test_cidr(self) -> None:
        """MT-4: cidr."""
        self.compare("cidr")

    def test_composed(self) -> None:
        """MT-6, LK-1, LK-13: tables of tables, and tables without a file."""
        self.compare("composed")

    def test_texthash(self) -> None:
        """MT-5: texthash."""
        self.compare("texthash")

    def test_messages(self) -> None:
        """PM-1, RX-7: -h, -b and -m."""
        self.compare("messages")
