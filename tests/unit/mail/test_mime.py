"""Parts of a mail, and strict rules for them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail.mime import BODY, BOUNDARY, NESTED_HEADER, PART_HEADER, Structure, has_parts
from tests.kit.submitting import Mailer

MULTIPART = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
PARTS = (
    b"x-line preamble\r\n--x\r\nX-Part: 1\r\nContent-Type: message/rfc822\r\n\r\nX-Nested: 1\r\n\r\nx-line nested\r\n"
    b"--x\r\n\r\nx-line two\r\n--x--\r\nx-line epilogue\r\n"
)
ALL = {
    "header_checks": "regexp:{ {/^X-/ WARN primary}, {/^Content-Type/ WARN never} }",
    "mime_header_checks": "regexp:{ {/^/ WARN mime} }",
    "nested_header_checks": "regexp:{ {/^/ WARN nested} }",
    "body_checks": "regexp:{ {/^x-line/ WARN body} }",
}


class Structures(SynchronousTestCase):
    def test_lines(self) -> None:
        """CL-9: preamble, part, nested mail, epilogue."""
        structure = Structure(10, 70)
        structure.open(b'multipart/mixed; boundary="a b"', b"")
        self.assertEqual(BODY, structure.line(b"preamble"))
        self.assertEqual(BOUNDARY, structure.line(b"--a b  "))
        self.assertEqual(PART_HEADER, structure.line(b"Content-Type: message/rfc822"))
        structure.open(b"message/rfc822", b"")
        self.assertEqual(NESTED_HEADER, structure.line(b"Subject: x"))
        structure.open(b"Multipart/Alternative; boundary=inner", b"")
        self.assertEqual(BOUNDARY, structure.line(b"--inner"))
        self.assertEqual(BOUNDARY, structure.line(b"--a b"))
        self.assertEqual(PART_HEADER, structure.line(b"X: y"))
        structure.open(b"", b"")
        self.assertEqual(BODY, structure.line(b"--inner"))
        self.assertEqual(BOUNDARY, structure.line(b"--a b--"))
        self.assertEqual(BODY, structure.line(b"--a b"))

    def test_escapes(self) -> None:
        """CL-9: a boundary in quotes loses its escapes."""
        structure = Structure(10, 70)
        structure.open(rb'multipart/mixed; boundary="b\b"', b"")
        self.assertEqual(BOUNDARY, structure.line(b"--bb"))
        structure.open(b"multipart/mixed; boundary= (c) cc", b"")
        self.assertEqual(BOUNDARY, structure.line(b"--cc"))

    def test_comments(self) -> None:
        """RFC 2045 section 5.1: wherever there may be white space."""
        for text in (
            b"multipart/mixed; boundary=(c)x", b"multipart/mixed; boundary=x(c)",
            b"(c (d) \\) )multipart/mixed; boundary=x",
            b"multipart (c) / (d) mixed; boundary (c) = (d) x", b'multipart/mixed; a="(" ; boundary=x',
        ):  # fmt: skip
            structure = Structure(10, 70)
            structure.open(text, b"")
            self.assertEqual(BOUNDARY, structure.line(b"--x"), text)
        structure = Structure(10, 70)
        structure.open(b"text/plain", b"(c) 8bit (d)")
        self.assertEqual(b"8bit", structure.domain)

    def test_around_parts(self) -> None:
        """strict_8bitmime_body: the text around parts has no encoding, whatever the header says."""
        structure = Structure(10, 70)
        structure.open(b"multipart/mixed; boundary=x", b"8bit")
        self.assertEqual(b"7bit", structure.domain)

    def test_encodings(self) -> None:
        """CL-9: parts and mails may be 8bit but not encoded, halves of mails the other way, as a running 3.7 has it."""
        for kind, bad in {
            b"multipart/mixed; boundary=b": (b"quoted-printable", b"base64"),
            b"message/rfc822": (b"quoted-printable", b"base64"),
            b"message/partial": (b"8bit", b"binary"),
            b"message/external-body": (b"8bit", b"binary"),
            b"message/delivery-status": (),
            b"text/plain": (),
        }.items():
            for encoding in b"", b"7bit", b"8bit", b"binary", b"quoted-printable", b"base64", b"bogus":
                structure = Structure(10, 70)
                structure.open(kind, encoding)
                self.assertEqual(encoding in bad, structure.bad_encoding, (kind, encoding))

    def test_has_parts(self) -> None:
        for kind, parts in {
            b"multipart/mixed; boundary=x": True, b"multipart/mixed": False, b"message/rfc822": True, b"": False,
            b"message/partial": False,
            b"text/plain; boundary=x": False, b"foo": False,
        }.items():  # fmt: skip
            self.assertEqual(parts, has_parts(kind), kind)

    def test_digest(self) -> None:
        """RFC 2046 section 5.1.5: parts of a digest are mails unless they say otherwise."""
        structure = Structure(10, 70)
        structure.open(b"multipart/digest; boundary=d", b"")
        structure.line(b"--d")
        structure.open(b"", b"")
        self.assertEqual(NESTED_HEADER, structure.state)

    def test_digest_of_mails(self) -> None:
        """CL-9: the parts are mails, and what is in these is text."""
        structure = Structure(10, 70)
        structure.open(b"multipart/digest; boundary=x", b"")
        self.assertEqual([BOUNDARY, PART_HEADER], [structure.line(b"--x"), structure.line(b"")])
        structure.open(b"", b"")
        self.assertEqual(NESTED_HEADER, structure.line(b"Subject: x"))
        structure.open(b"", b"")
        self.assertEqual(BODY, structure.line(b"Subject: text"))

    def test_nesting(self) -> None:
        """OB-11: beyond mime_nesting_limit parts are text."""
        structure = Structure(2, 70)
        for n in range(3):
            structure.open(b"multipart/mixed; boundary=b%d" % n, b"")
            structure.line(b"--b%d" % n)
        self.assertEqual(BODY, structure.state)


class Parts(SynchronousTestCase):
    def test_which_checks(self) -> None:
        """CL-6: header_checks, mime_header_checks, nested_header_checks and body_checks see what is theirs."""
        for piece in (0, 1, 9):
            mailer = Mailer(ALL)
            mailer.send(b"X-Head: 1\r\n" + MULTIPART + PARTS, piece=piece)
            found = [
                (line.split(": ")[2].split(" ")[1], line.rpartition(": ")[2]) for line in mailer.lines if "warn" in line
            ]
            self.assertEqual(
                [("X-Head", "primary"), ("MIME-Version", "mime"), ("Content-Type", "mime"), ("x-line", "body"),
                 ("X-Part", "mime"), ("Content-Type", "mime"), ("X-Nested", "nested"), ("x-line", "body"),
                 ("x-line", "body"), ("x-line", "body")],
                found,
            )  # fmt: skip
            self.assertEqual(b"X-Head: 1\r\n" + MULTIPART + PARTS, mailer.mail().content)

    def test_no_mime(self) -> None:
        """CL-9: with disable_mime_input_processing a mail has one header and one body."""
        mailer = Mailer({**ALL, "disable_mime_input_processing": "yes"})
        mailer.send(MULTIPART + PARTS)
        self.assertEqual(["never", "body", "body", "body", "body"], [
            line.rpartition(": ")[2] for line in mailer.lines if "warning" in line
        ])  # fmt: skip

    def test_part_header_changed(self) -> None:
        """CL-7: actions on a part's header, continuation lines included."""
        mailer = Mailer({"mime_header_checks": r"regexp:{ {/^Content-Disposition:.*exe/ REPLACE X-Gone: 1} }"})
        mailer.send(MULTIPART + b"--x\r\nContent-Disposition: attachment;\r\n\tfilename=a.exe\r\n\r\nb\r\n--x--\r\n")
        self.assertEqual(MULTIPART + b"--x\r\nX-Gone: 1\r\n\r\nb\r\n--x--\r\n", mailer.mail().content)

    def test_pass_in_a_part(self) -> None:
        """CL-7: when PASS ends the checks in the middle of a part's header, nothing changes places."""
        content = MULTIPART + b"--x\r\nX-Pass: 1\r\nX-A: 1\r\nX-B: 2\r\n\r\nbody\r\n--x--\r\n"
        for piece in range(1, 30):
            mailer = Mailer({"mime_header_checks": "regexp:{ {/^X-Pass/ PASS} }"})
            mailer.send(content, piece=piece)
            self.assertEqual(content, mailer.mail().content)

    def test_cut_off(self) -> None:
        """A mail that ends in the header of a part loses nothing."""
        mailer = Mailer(ALL)
        mailer.send(MULTIPART + b"--x\r\nX-Part: 1\r\n more\r\n")
        self.assertEqual(MULTIPART + b"--x\r\nX-Part: 1\r\n more\r\n", mailer.mail().content)

    def test_part_header_trimmed(self) -> None:
        """OB-11: NUL cuts a field of a part too, and header_size_limit holds for it."""
        mailer = Mailer({**ALL, "header_size_limit": "60"})
        mailer.send(MULTIPART + b"--x\r\nX-A: b\0c\r\nX-B: " + b"d" * 90 + b"\r\n\r\nbody\r\n--x--\r\n")
        self.assertIn(b"\r\n--x\r\nX-A: b\r\nX-B: " + b"d" * 55 + b"\r\n\r\nbody\r\n", mailer.mail().content)

    def test_strict(self) -> None:
        """CL-9: strict_7bit_headers, strict_8bitmime_body, strict_mime_encoding_domain."""
        for main, content, reason in (
            ("strict_7bit_headers", "Subject: é\r\n\r\nb\r\n", "improper use of 8-bit data in message header"),
            ("strict_8bitmime_body", "A: 1\r\n\r\né\r\n", "improper use of 8-bit data in message body"),
            ("strict_mime_encoding_domain",
             "Content-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: base64\r\n\r\nb\r\n",
             "invalid message/* or multipart/* encoding domain"),
        ):  # fmt: skip
            mailer = Mailer({main: "yes"})
            self.assertEqual(f"550 5.6.0 {reason}", mailer.refused(content.encode()))
            self.assertIn(f"Q1: reject: mime-error {reason}: ", "\n".join(mailer.lines))
        for encoding in "quoted-printable", "base64", "binary":  # wrong, but not said to be 7bit
            Mailer({"strict_8bitmime": "yes"}).send(f"Content-Transfer-Encoding: {encoding}\r\n\r\né\r\n".encode())
        fine = Mailer({"strict_8bitmime": "yes"})
        fine.send("Content-Transfer-Encoding: 8bit\r\n\r\né\r\n".encode())
        self.assertEqual("8bit", fine.mail().envelope.encoding)
