"""Every parameter is declared once, with a sentence that says what it is for (docs/add-a-parameter.md)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.settings import deviations, registry
from tests.house.sources import listed


class TestParameters(SynchronousTestCase):
    def test_sentences(self) -> None:
        problems = [
            f"{name}: {parameter.doc!r}"
            for name, parameter in sorted(registry.parameters().items())
            if not parameter.doc or not parameter.doc.endswith(".") or not parameter.doc[0].isupper()
        ]
        self.assertEqual(problems, [], listed(problems))

    def test_deviations(self) -> None:
        """A default that differs from Postfix's has a reason, and is one of a parameter that exists."""
        known = registry.parameters()
        for name, reason in {**deviations.CHANGED, **deviations.COMPUTED}.items():
            self.assertIn(name, known)
            self.assertTrue(reason)
