"""Queue IDs (INVENTORY QU-2, QU-3)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail import queueid


class QueueIds(SynchronousTestCase):
    def test_short(self) -> None:
        """QU-3: five hexadecimal digits of microseconds, then the inode."""
        made = queueid.short_id(0x1A, 0xBEEF)
        self.assertEqual(made, "0001ABEEF")
        self.assertEqual(queueid.inode_of(made), 0xBEEF)
        self.assertEqual(queueid.microseconds_of(made), 0x1A)
        self.assertFalse(queueid.is_long(made))

    def test_long(self) -> None:
        """QU-3: 6 digits of seconds, 4 of microseconds, z, the inode."""
        made = queueid.long_id(1_700_000_000, 999_999, 52 * 51)
        self.assertEqual(made.index("z"), 10)
        self.assertTrue(queueid.is_long(made))
        self.assertEqual(queueid.inode_of(made), 52 * 51)
        self.assertEqual(queueid.microseconds_of(made), 999_999)
        self.assertNotRegex(made, "[aeiouAEIOU]")

    def test_long_as_postfix_reads_it(self) -> None:
        """A name that Postfix 3.7 made short again: its microseconds are 93C3D."""
        self.assertEqual(queueid.with_inode("3eX4Yz4HqKzB1s", 0x20C176, False), "93C3D20C176")

    def test_hash(self) -> None:
        """QU-2: subdirectories are the first characters; of a long ID, of its microseconds."""
        self.assertEqual(queueid.hash_directories("ABCDE12", 2), "A/B/")
        made = queueid.long_id(1_700_000_000, 0xF1234, 5)
        self.assertEqual(queueid.hash_directories(made, 2), "F/1/")

    def test_other_inode(self) -> None:
        self.assertEqual(queueid.with_inode("000010A", 0xB, False), "00001B")
        long = queueid.long_id(5, 6, 7)
        self.assertEqual(queueid.with_inode(long, 8, True), queueid.long_id(5, 6, 8))
        self.assertEqual(queueid.with_inode("0000610", 8, True, 5), queueid.long_id(5, 6, 8))

    def test_names_that_are_none(self) -> None:
        for bad in ("", "../x", "a.b", "a/b", "ü", "x" * 256, "a b"):
            self.assertFalse(queueid.valid(bad), bad)
        for odd in ("ABC", "xyz", "12345", "a" * 12 + "z" + "z"):
            self.assertRaises(ValueError, queueid.inode_of, odd)
