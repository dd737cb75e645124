"""8-bit text made 7-bit."""

from __future__ import annotations

import email
import email.policy
import quopri

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail.sevenbit import quoted_printable
from tests.kit.submitting import Mailer

CONVERT = {"force_mime_input_conversion": "yes"}


class Lines(SynchronousTestCase):
    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=200).filter(lambda line: b"\r" not in line and b"\n" not in line))
    def test_round_trip(self, line: bytes) -> None:
        """RFC 2045 section 6.7: short lines, nothing at their end, and the text comes back."""
        encoded = quoted_printable(line)
        self.assertLessEqual(max(map(len, encoded)), 76)
        self.assertFalse(encoded[-1].endswith((b" ", b"\t")))
        self.assertTrue(b"".join(encoded).isascii())
        self.assertEqual(line, quopri.decodestring(b"\n".join(encoded)))


class Mails(SynchronousTestCase):
    def test_simple(self) -> None:
        """CL-9: force_mime_input_conversion on a mail of one part."""
        for piece in (0, 1, 5):
            mailer = Mailer(CONVERT)
            text = "Content-Transfer-Encoding: 8bit\r\nA: 1\r\n\r\ncaf\u00e9 = \r\nplain\r\n".encode()
            mailer.send(text, piece=piece)
            self.assertEqual(
                b"A: 1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=C3=A9 =3D=20\r\nplain\r\n",
                mailer.mail().content,
            )
            self.assertEqual("7bit", mailer.mail().envelope.encoding)

    def test_parts(self) -> None:
        """CL-9: parts are converted, what is made of parts says 7bit, encoded parts stay."""
        mailer = Mailer(CONVERT)
        mailer.send(
            "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
            "--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\u00e9\r\n"
            "--x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--x--\r\n".encode()
        )
        content = mailer.mail().content
        self.assertTrue(content.isascii())
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        self.assertEqual("7bit", parsed["content-transfer-encoding"])
        first, second = parsed.iter_parts()  # type: ignore[attr-defined]
        self.assertEqual(("\u00e9", "x"), (first.get_content(), second.get_content()))

    def test_undeclared(self) -> None:
        """Text that does not say what it is stays, and the mail is not called 7bit."""
        mailer = Mailer(CONVERT)
        mailer.send("A: 1\r\n\r\n\u00e9\r\n".encode())
        self.assertEqual(
            ("A: 1\r\n\r\n\u00e9\r\n".encode(), ""), (mailer.mail().content, mailer.mail().envelope.encoding)
        )
