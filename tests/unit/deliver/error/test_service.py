"""error and retry: what the nexthop says becomes of all recipients."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import DeliveryResult
from pytwfix.contracts.queue import CorruptMessage
from pytwfix.deliver.error.service import ErrorAgent
from pytwfix.mail.envelope import Envelope
from pytwfix.mail.status import Dsn
from tests.kit.delivering import MemoryReports, delivery
from tests.kit.host import MemoryHost


class ErrorTests(SynchronousTestCase):
    def deliver(self, service: str, nexthop: str, override: Dsn | None = None, **main: str) -> DeliveryResult:
        self.reports = MemoryReports()
        self.host = MemoryHost(main, service, "error", reports=self.reports)
        self.request = delivery(b"a@x.example", b"b@x.example", transport=service, nexthop=nexthop)
        self.request.override = override
        result: DeliveryResult = self.successResultOf(ErrorAgent(self.host).deliver(self.request))
        return result

    def ends(self) -> list[str]:
        return [line[line.index("relay=") :].split(", delay=")[0] + line[line.index(", dsn=") :] for line in self.lines]

    @property
    def lines(self) -> list[str]:
        return self.host.log.lines

    def test_bounces(self) -> None:
        """ER-1, LG-10: a status in front of the text is the status."""
        result = self.deliver("error", "5.1.1 no such place")
        self.assertEqual(result.deferred, [])
        self.assertEqual(self.ends(), ["relay=none, dsn=5.1.1, status=bounced (no such place)"] * 2)
        self.assertEqual([one[0] for one in self.reports.records], ["bounce", "bounce"])
        self.assertTrue(all(one.done for one in self.request.recipients))

    def test_default_status(self) -> None:
        """ER-1: a text without status."""
        self.deliver("error", "mail is not taken")
        self.assertEqual(self.ends()[0], "relay=none, dsn=5.0.0, status=bounced (mail is not taken)")

    def test_retry(self) -> None:
        """ER-1: retry defers, whatever class the text claims."""
        result = self.deliver("retry", "5.4.0 later")
        self.assertEqual(len(result.deferred), 2)
        self.assertEqual(self.ends()[0], "relay=none, dsn=4.4.0, status=deferred (later)")

    def test_override(self) -> None:
        """SC-4: what the queue manager remembers of a destination that did not answer."""
        result = self.deliver("retry", "x.example", Dsn("4.4.1", "delivery temporarily suspended: gone"))
        self.assertEqual(len(result.deferred), 2)
        self.assertEqual(
            self.ends()[0], "relay=none, dsn=4.4.1, status=deferred (delivery temporarily suspended: gone)"
        )

    def test_soft_bounce(self) -> None:
        """SC-10: nobody is refused."""
        result = self.deliver("error", "5.1.1 no", soft_bounce="yes")
        self.assertEqual(len(result.deferred), 2)
        self.assertEqual(self.ends()[0], "relay=none, dsn=4.1.1, status=SOFTBOUNCE (no)")

    def test_unreadable(self) -> None:
        """ST-2: a queue file that cannot be opened is logged, and its recipients stay."""

        class Store:
            def open(self, queue: str, queue_id: str, known: Envelope) -> Any:
                return fail(CorruptMessage("no such record"))

        host = MemoryHost({}, "error", "error", store=Store())
        request = delivery(b"a@x.example", nexthop="no")
        request.message = None
        result = self.successResultOf(ErrorAgent(host).deliver(request))
        self.assertEqual(result.deferred, request.recipients)
        self.assertEqual(host.log.lines, ["warning: QID1: active queue file: no such record"])
