"""Dovecot's authentication protocol, byte for byte."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs.dovecot_auth import Answer, DovecotAuth, DovecotError

GREETING = (
    b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\n"
    b"SPID\t17\nCUID\t1\nCOOKIE\tabc\nDONE\n"
)


class Talk(SynchronousTestCase):
    def test_handshake(self) -> None:
        """SD-41: in pieces of any size."""
        for size in (1, 7, 1000):
            dialog = DovecotAuth()
            for at in range(0, len(GREETING), size):
                self.assertEqual([], dialog.receive(GREETING[at : at + size]))
            self.assertTrue(dialog.ready)
            self.assertEqual(["PLAIN", "CRAM-MD5"], [one.name for one in dialog.mechanisms])
            self.assertEqual({"dictionary", "active"}, dialog.mechanisms[1].properties)
        self.assertEqual(b"VERSION\t1\t1\nCPID\t5\n", DovecotAuth.hello(5))

    def test_questions(self) -> None:
        """SD-41."""
        asked = DovecotAuth.auth(1, "PLAIN", ["service=smtp", "secured"], b"\0a\0b")
        self.assertEqual(b"AUTH\t1\tPLAIN\tservice=smtp\tsecured\tresp=AGEAYg==\n", asked)
        self.assertEqual(b"AUTH\t2\tLOGIN\tnologin\n", DovecotAuth.auth(2, "LOGIN", ["nologin"], None))
        self.assertEqual(b"CONT\t2\t\n", DovecotAuth.cont(2, b""))

    def test_answers(self) -> None:
        dialog = DovecotAuth()
        dialog.receive(GREETING)
        data = b"CONT\t1\tVXNlcm5hbWU6\nOK\t1\tuser=joe\x01tx\nFAIL\t2\tuser=x\ttemp\treason=no\n"
        found = dialog.receive(data)
        self.assertEqual(Answer("CONT", 1, b"Username:", {}), found[0])
        self.assertEqual(Answer("OK", 1, b"", {"user": "joe\tx"}), found[1])
        self.assertEqual({"user": "x", "temp": "", "reason": "no"}, found[2].values)

    def test_nonsense(self) -> None:
        for data in (b"VERSION\t2\t0\n", b"DONE\n", b"OK\n", b"OK\tx\n", b"CONT\t1\t!\n", b"x" * 70000):
            self.assertRaises(DovecotError, DovecotAuth().receive, data)
