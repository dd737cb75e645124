"""Names in other scripts (INVENTORY AD-2)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail.idn import same_domain, to_ascii, to_unicode

UTF8 = "Bücher.example".encode()


class Names(SynchronousTestCase):
    def test_both_ways(self) -> None:
        self.assertEqual(to_ascii(UTF8), b"xn--bcher-kva.example")
        self.assertEqual(to_unicode(b"xn--bcher-kva.example"), "bücher.example".encode())
        self.assertEqual(to_ascii(b"Plain.example"), b"Plain.example")

    def test_older_rules(self) -> None:
        """enable_idna2003_compatibility."""
        name = "faß.example".encode()
        self.assertEqual((to_ascii(name), to_ascii(name, True)), (b"xn--fa-hia.example", b"fass.example"))

    def test_bad_names(self) -> None:
        for bad in (b"\xff.example", "\u2028.example".encode(), ("ü" * 100).encode()):
            self.assertIsNone(to_ascii(bad))
        self.assertEqual(to_unicode(b"xn--\x80.example"), b"xn--\x80.example")
        self.assertEqual(to_unicode(b"xn--a-.example"), b"xn--a-.example")

    def test_comparison(self) -> None:
        self.assertTrue(same_domain(UTF8, b"XN--bcher-KVA.example"))
        self.assertTrue(same_domain(b"A.example", b"a.Example"))
        self.assertFalse(same_domain(UTF8, b"bucher.example"))
        self.assertFalse(same_domain(b"\xff.example", b"xn--x.example"))
