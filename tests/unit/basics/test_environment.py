"""basics/environment.py: lists of environment variables (SV-6)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.basics.environment import chosen


class Chosen(SynchronousTestCase):
    def test_forms(self) -> None:
        """SV-6: names, values, values with spaces; commas or spaces between them."""
        source = {"TZ": "UTC", "HOME": "/root"}
        for text, expected in (
            ("TZ", {"TZ": "UTC"}),
            ("TZ, MISSING LANG=C", {"TZ": "UTC", "LANG": "C"}),
            ("TZ= X=a=b", {"TZ": "", "X": "a=b"}),
            ("{ A = b c } TZ", {"A": "b c", "TZ": "UTC"}),
            ("", {}),
        ):
            self.assertEqual(chosen(text, source), expected, text)
