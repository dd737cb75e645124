"""tlsrpt/message.py: what a report looks like as a mail, and where one may go (TL-10; RFC 8460 section 5.3)."""

from __future__ import annotations

import gzip
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail.tlsrpt import Sender
from pytwfix.tlsrpt.message import Packed, address_of, written
from pytwfix.tlsrpt.sending import web_place

SENDER = Sender("Example", "TLS reports <tls@mx.example>", "mx.example")
NAME = "mx.example!a.example!1699920000!1700006399.json"


class Message(SynchronousTestCase):
    @given(st.binary(max_size=500))
    def test_parts(self, content: bytes) -> None:
        """Two parts: a text for people, and the file."""
        packed = Packed(gzip.compress(content), NAME, "a.example", 1_699_920_000)
        text = written(packed, b"in@a.example", SENDER, "QID1", 1_700_010_000)
        self.assertNotIn(b"\n", text.replace(b"\r\n", b""))
        self.assertLess(max(map(len, text.split(b"\r\n"))), 200)
        mail = message_from_bytes(text, policy=policy.default)
        self.assertEqual(
            ("multipart/report", "tlsrpt"), (mail.get_content_type(), mail["Content-Type"].params["report-type"])
        )
        words, file = list(mail.iter_parts())
        self.assertEqual("text/plain", words.get_content_type())
        self.assertEqual(("application/tlsrpt+gzip", f"{NAME}.gz"), (file.get_content_type(), file.get_filename()))
        self.assertEqual(content, gzip.decompress(cast(EmailMessage, file).get_content()))

    def test_header(self) -> None:
        text = written(Packed(b"x", NAME, "a.example", 1_699_920_000), b"in@a.example", SENDER, "QID1", 0)
        mail = message_from_bytes(text, policy=policy.default)
        self.assertEqual(
            [
                "TLS reports <tls@mx.example>", "in@a.example", "a.example", "mx.example", "no", "auto-generated",
                "Report Domain: a.example Submitter: mx.example Report-ID: <20231114000000.a.example@mx.example>",
            ],
            [mail[name] for name in ("From", "To", "TLS-Report-Domain", "TLS-Report-Submitter", "TLS-Required",
                                     "Auto-Submitted", "Subject")],
        )  # fmt: skip


class Places(SynchronousTestCase):
    def test_addresses(self) -> None:
        """RFC 6068; what would be more than one address, or no address, is none."""
        for uri, address in (
            ("mailto:tls@a.example", b"tls@a.example"),
            ("MAILTO:tls%2Bx@a.example?subject=hello", b"tls+x@a.example"),
            ("mailto:a@b.example,c@d.example", b""),
            ("mailto:a%0D%0Ab@c.example", b""),
            ("mailto:a%20b@c.example", b""),
            ("mailto:a@[192.0.2.1]", b""),
            ("mailto:%22a%22@b.example", b""),
            ("mailto:a@b%C3%A4.example", b""),
            ("mailto:a@", b""),
            ("mailto:@b.example", b""),
            ("mailto:", b""),
        ):
            self.assertEqual(address, address_of(uri), uri)

    def test_web(self) -> None:
        for uri, place in (
            ("https://a.example/v1/tls?x=y", ("a.example", 0, "/v1/tls?x=y")),
            ("HTTPS://A.example:8443", ("a.example", 8443, "/")),
            ("https://user@a.example/", ("", 0, "")),
            ("https://127.0.0.1/", ("", 0, "")),
            ("https://[::1]/", ("", 0, "")),
            ("https://a.example:x/", ("", 0, "")),
            ("https:///x", ("", 0, "")),
            ("https:x", ("", 0, "")),
        ):
            self.assertEqual(place, web_place(uri), uri)
