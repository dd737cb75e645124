"""The policy protocol (SD-40)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.dialogs.policy import PolicyAnswer, request


class Policy(SynchronousTestCase):
    def test_request(self) -> None:
        """No value can smuggle a line."""
        data = request([("request", "smtpd_access_policy"), ("sender", "a\nrequest=x\0")])
        self.assertEqual(b"request=smtpd_access_policy\nsender=a?request=x?\n\n", data)

    def test_answers(self) -> None:
        cases = {
            b"action=DUNNO\n\n": ("DUNNO", ""),
            b"x=y\naction=450 4.7.1 a=b\n\n": ("450 4.7.1 a=b", ""),
            b"x=y\n\n": ("", "no action attribute in the answer"),
            b"action=OK\n\naction=OK\n\n": ("", "more than one answer"),
        }
        for data, (action, error) in cases.items():
            for step in (1, len(data)):
                answer = PolicyAnswer()
                for at in range(0, len(data), step):
                    if not answer.done:
                        answer.receive(data[at : at + step])
                self.assertTrue(answer.done)
                if step > 1 or not error.startswith("more"):
                    self.assertEqual((action, error), (answer.action, answer.error), data)

    def test_too_long(self) -> None:
        answer = PolicyAnswer()
        answer.receive(b"x" * 70000)
        self.assertEqual((True, "the answer is too long"), (answer.done, answer.error))
