"""postcat(1)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import postcat
from pytwfix.spool.records import record
from tests.kit.commands import CommandQueue

CONTENT = b"Subject: s\r\nFrom: x\r\n y\r\n\r\nhello\r\n\r\nbye\r\n"


class Postcat(SynchronousTestCase):
    def setUp(self) -> None:
        self.queue = CommandQueue(self.mktemp())
        self.queue_id = self.queue.spool.put(CONTENT, b"r@x", queue="hold").queue_id
        self.path = f"{self.queue.spool.path}/hold/{self.queue_id}"

    def run_(self, *words: str) -> str:
        code, out, said = self.queue.run(postcat.main, *words)
        self.assertEqual((code, said), (0, ""))
        return out

    def test_all(self) -> None:
        """PT-1: the sections, and the names of records."""
        out = self.run_("-q", self.queue_id)
        lines = out.splitlines()
        self.assertEqual(lines[0], f"*** ENVELOPE RECORDS hold/{self.queue_id} ***")
        self.assertRegex(lines[1], r"^message_size: +41 +\d+ +1 +0 +41 +0$")
        self.assertIn("sender: sender@example.org", lines)
        self.assertIn("recipient: r@x", lines)
        self.assertRegex(out, r"message_arrival_time: \w+ \w+ +\d+ [\d:]+ \d+\ncreate_time: \w+ ")
        at = lines.index(f"*** MESSAGE CONTENTS hold/{self.queue_id} ***")
        self.assertEqual(lines[at + 1 : at + 8], ["Subject: s", "From: x", " y", "", "hello", "", "bye"])
        self.assertEqual(lines[-1], f"*** MESSAGE FILE END hold/{self.queue_id} ***")

    def test_sections(self) -> None:
        """PT-1: -h and -b without any envelope."""
        self.assertEqual(self.run_("-h", self.path), "Subject: s\nFrom: x\n y\n")
        self.assertEqual(self.run_("-b", self.path), "\nhello\n\nbye\n")
        self.assertEqual(self.run_("-bh", self.path), CONTENT.replace(b"\r\n", b"\n").decode())
        self.assertNotIn("hello", self.run_("-e", self.path))

    def test_offsets_and_types(self) -> None:
        """PT-1: -o and -d."""
        lines = self.run_("-od", self.path).splitlines()
        self.assertTrue(lines[1].startswith("        0  67 message_size:"))
        self.assertTrue(lines[2].startswith("       97  84 message_arrival_time:"))

    def test_prefix(self) -> None:
        """PT-1: -f puts the file's name before each line."""
        self.assertEqual(self.run_("-fh", self.path).splitlines()[0], f"{self.path}: Subject: s")

    def test_verbose(self) -> None:
        self.assertIn("regular_text: hello\n", self.run_("-vb", self.path))

    def test_long_lines_are_joined(self) -> None:
        queue_id = self.queue.spool.put(b"A: b\r\n\r\n" + b"x" * 5000 + b"\r\n", b"r@x").queue_id
        self.assertEqual(self.run_("-bq", queue_id), "\n" + "x" * 5000 + "\n")

    def test_large_mail(self) -> None:
        """What is between envelope and content is passed over."""
        queue_id = self.queue.spool.put(b"A: b\r\n\r\n" + b"y\r\n" * 100000, b"r@x").queue_id
        self.assertEqual(len(self.run_("-bq", queue_id)), 1 + 200000)
        self.assertIn("recipient: r@x\n*** MESSAGE CONTENTS", self.run_("-eq", queue_id))

    def test_unknown_records(self) -> None:
        path = f"{self.queue.directory}/kind"
        with open(self.path, "rb") as file:
            data = file.read(97)
        with open(path, "wb") as file:
            file.write(data + record(b"z", b"x") + record(b"S", b"s@x"))
        self.assertEqual(self.run_("-e", path).splitlines()[2:], ["unknown_record_type: x", "sender: s@x"])

    def test_mistakes(self) -> None:
        """PT-1: words and exit status of Postfix 3.7."""
        with open(self.path, "rb") as file:
            data = file.read()
        for name, content in (("bad", b"X\n"), ("cut", data[:300])):
            with open(f"{self.queue.directory}/{name}", "wb") as file:
                file.write(content)
        bad, cut = (f"{self.queue.directory}/{name}" for name in ("bad", "cut"))
        expected = [
            ((bad,), 0, f"postcat: warning: {bad}: input is not a valid queue file\n"),
            (("-e", cut), 1, "postcat: fatal: record read error\n"),
            (("-q", "NOSUCH"), 1, "postcat: fatal: open queue file NOSUCH: No such file or directory\n"),
            (("-q", "../x"), 1, "postcat: fatal: bad mail queue ID: ../x\n"),
            (("nosuch",), 1, "postcat: fatal: open nosuch: No such file or directory\n"),
            (("-Z",), 1, f"postcat: fatal: {postcat._USAGE}\n"),
        ]
        for words, code, said in expected:
            found = self.queue.run(postcat.main, *words)
            self.assertEqual((found[0], found[2].splitlines(True)[-1]), (code, said), words)
