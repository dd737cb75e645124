"""Sessions as the postmaster reads them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.logs.postmaster import HEARD, SAID, told


class Lines(SynchronousTestCase):
    """SD-56, SM-17: as a real 3.7 writes them."""

    def test_plain(self) -> None:
        self.assertEqual([" In:  NOOP"], list(told(HEARD, b"NOOP")))
        self.assertEqual([" In:"], list(told(HEARD, b"")))

    def test_unprintable(self) -> None:
        self.assertEqual([" Out: 500 ??\u00fc?"], list(told(SAID, b"500 \x01\x7f\xc3\xbc\xff")))

    def test_wide(self) -> None:
        """79 columns, the rest behind an indent."""
        self.assertEqual([" In:  FOO " + "x" * 66 + " yy"], list(told(HEARD, b"FOO " + b"x" * 66 + b" yy")))
        wide = [" In:  FOO " + "x" * 67, "     yy"]
        self.assertEqual(wide, list(told(HEARD, b"FOO " + b"x" * 67 + b" yy")))
        words = b"NOOP" + b" word567890" * 13
        expected = [" In:  NOOP" + " word567890" * 6, "    " + " word567890" * 6, "     word567890"]
        self.assertEqual(expected, list(told(HEARD, words)))

    def test_no_space(self) -> None:
        """What cannot be cut is not."""
        self.assertEqual([" In:  " + "x" * 200], list(told(HEARD, b"x" * 200)))
        self.assertEqual([" In:  FOO", "     " + "x" * 200], list(told(HEARD, b"FOO " + b"x" * 200)))
