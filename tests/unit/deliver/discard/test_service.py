"""discard: everybody is content, nobody has anything."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.deliver.discard.service import DiscardAgent
from tests.kit.delivering import delivery
from tests.kit.host import MemoryHost


class DiscardTests(SynchronousTestCase):
    def test_sent(self) -> None:
        """DI-1: the nexthop is the text."""
        host = MemoryHost({}, "discard", "discard")
        request = delivery(b"a@x.example", transport="discard", nexthop="gone")
        result = self.successResultOf(DiscardAgent(host).deliver(request))
        self.assertEqual(result.deferred, [])
        self.assertTrue(request.recipients[0].done)
        self.assertIn("to=<a@x.example>, relay=none, delay=", host.log.lines[0])
        self.assertTrue(host.log.lines[0].endswith("dsn=2.0.0, status=sent (gone)"))
