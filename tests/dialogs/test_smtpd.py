"""Transcripts of smtpd (smtpd/*.chat) against a session in memory. tests/integration/test_dialogs.py plays the same
against the daemon and a real Postfix (SD-1 to SD-60)."""

from __future__ import annotations

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.kit.chatting import CorePlayer, transcripts
from tests.kit.transcript import CORE, Transcript, play


class Transcripts(SynchronousTestCase):
    """One test a file."""

    def play(self, transcript: Transcript) -> None:
        if CORE in transcript.skipped:
            raise SkipTest(transcript.skipped[CORE])
        play(transcript, CorePlayer(transcript), False, self.fail)


def _add(transcript: Transcript) -> None:
    def test(self: Transcripts) -> None:
        self.play(transcript)

    test.__doc__ = transcript.title
    setattr(Transcripts, "test_" + transcript.name.replace("-", "_"), test)


for _transcript in transcripts():
    _add(_transcript)
