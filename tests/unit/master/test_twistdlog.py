"""What twistd itself has to say (LG-16)."""

from __future__ import annotations

import io
import os
import sys

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master.twistdlog import observer


class Said(SynchronousTestCase):
    def said(self, **event: object) -> str:
        out = io.StringIO()
        self.patch(sys, "__stderr__", out)
        observer()({"message": (), "isError": 0, **event})
        return out.getvalue()

    def test_errors(self) -> None:
        """Errors alone; also what was written to the standard error that twistd has taken away."""
        self.assertEqual(self.said(message=("starting up",)), "")
        said = self.said(isError=1, failure=Failure(KeyError("x")), why="Unhandled")
        self.assertTrue(said.startswith(f"pytwfix[{os.getpid()}]: error: Unhandled"), said)
        self.assertIn("KeyError", said)
        self.assertIn("error: a line\n", self.said(isError=1, format="%(log_io)s", log_io="a line"))
        self.assertEqual(self.said(isError=1, message=(" ",)), "")
