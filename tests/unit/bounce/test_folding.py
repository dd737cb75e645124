"""Folding of long lines, at the places where a real Postfix 3.7 folds them (DS-1)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.bounce.folding import folded

LETTERS = "aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeee f g h i j k l m n o p q r s t u v w x y z"


class TestFolded(SynchronousTestCase):
    def test_width(self) -> None:
        """79 characters a line, four of them blanks in all but the first."""
        lines = folded(f"<w333@err.x>: {LETTERS}").split("\r\n")
        self.assertEqual(lines[0], "<w333@err.x>: aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeee f g h i j k l")
        self.assertEqual(lines[1], "    m n o p q r s t u v w x y z")
        lines = folded(f"<w4444@err.x>: {LETTERS}").split("\r\n")
        self.assertEqual(lines[0], "<w4444@err.x>: aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeee f g h i j k")
        self.assertEqual(folded("x" * 79), "x" * 79)

    def test_long_words(self) -> None:
        """A word that is too long stands alone; nothing is lost."""
        text = "<" + "n" * 90 + ">: unknown user: " + "m" * 90
        lines = folded(text).split("\r\n    ")
        self.assertEqual(lines, ["<" + "n" * 90 + ">:", "unknown user:", "m" * 90])

    def test_many(self) -> None:
        """Words stay in order; blanks inside a line stay."""
        text = " ".join(str(number) for number in range(200))
        lines = folded(text).split("\r\n")
        self.assertTrue(all(len(line) <= 79 for line in lines))
        self.assertEqual(" ".join(line.strip() for line in lines), text)
        self.assertEqual(folded("a  b"), "a  b")
        self.assertEqual(folded("a" * 79 + "   "), "a" * 79)
