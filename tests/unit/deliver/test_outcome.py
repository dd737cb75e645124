"""What is told of a recipient, and to whom: status filters, NOTIFY, soft_bounce (SM-15, DS-3, SC-10)."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import VERIFY_ONLY, Times
from pytwfix.contracts.reports import BOUNCE, DEFER
from pytwfix.deliver.outcome import Outcome
from pytwfix.deliver.statusfilter import status_filter
from pytwfix.deliver.virtual.service import VirtualAgent
from pytwfix.mail.envelope import Recipient
from pytwfix.mail.status import NOTIFY_NEVER, Dsn
from tests.kit.delivering import MemoryReports, delivery
from tests.kit.host import MemoryHost

FILTER = (
    "pcre:{ {/^5\\.1\\.1 soft/ 4.1.9 softened now} {/^5\\.1\\.1 other/ 5.9.9 other text}"
    " {/^4\\.2\\.2 full/ 5.2.2 too full} {/^2\\.0\\.0 sent/ 2.1.1 sent well}"
    " {/^5\\.1\\.1 up/ 2.1.9 made success} {/^2\\.0\\.0 down/ 5.0.0 made failure} {/^4\\.0\\.0 odd/ rubbish} }"
)
UNKNOWN = Dsn("5.1.1", "soft")


class OutcomeTests(SynchronousTestCase):
    def tell(self, how: str, dsn: Dsn, notify: int = 0, flags: int = 0, tables: str = FILTER, **main: str) -> Outcome:
        self.reports = MemoryReports()
        self.host = MemoryHost(main, reports=self.reports)
        self.request = delivery(Recipient(b"u@x.example", notify=notify), flags=flags)
        statuses = status_filter(self.host, tables, "local_delivery_status_filter")
        outcome = Outcome(self.host, self.request, statuses)
        recipient = self.request.recipients[0]

        async def told() -> None:
            await getattr(outcome, how)(recipient, dsn, "local", Times())

        self.successResultOf(Deferred.fromCoroutine(told()))
        return outcome

    @property
    def end(self) -> str:
        (line,) = (line for line in self.host.log.lines if ": to=<" in line)
        return line[line.index("dsn=") :]

    def test_no_filter(self) -> None:
        """SM-15: the rule costs nothing."""
        self.assertIsNone(status_filter(MemoryHost(), "", "x"))
        self.tell("bounced", UNKNOWN, tables="")
        self.assertEqual(self.end, "dsn=5.1.1, status=bounced (soft)")

    def test_softened(self) -> None:
        """SM-15: a refusal may become a delay, and the recipient stays."""
        outcome = self.tell("bounced", UNKNOWN)
        self.assertEqual(self.end, "dsn=4.1.9, status=deferred (softened now)")
        self.assertEqual(outcome.result.deferred, self.request.recipients)
        ((log, _, report),) = self.reports.records
        self.assertEqual((log, report.dsn.reason, report.dsn.action), (DEFER, "softened now", "delayed"))

    def test_hardened(self) -> None:
        """SM-15: a delay may become a refusal."""
        outcome = self.tell("deferred", Dsn("4.2.2", "full"))
        self.assertEqual(self.end, "dsn=5.2.2, status=bounced (too full)")
        self.assertEqual((outcome.result.deferred, self.reports.records[0][0]), ([], BOUNCE))

    def test_other_words(self) -> None:
        """SM-15: texts, of success too."""
        self.tell("bounced", Dsn("5.1.1", "other"))
        self.assertEqual(self.end, "dsn=5.9.9, status=bounced (other text)")
        self.tell("sent", Dsn("2.0.0", "sent"))
        self.assertEqual(self.end, "dsn=2.1.1, status=sent (sent well)")

    def test_not_used(self) -> None:
        """SM-15: success stays success, failure failure."""
        for how, dsn, text in (
            ("bounced", Dsn("5.1.1", "up"), "2.1.9 made success"),
            ("sent", Dsn("2.0.0", "down"), "5.0.0 made failure"),
            ("deferred", Dsn("4.0.0", "odd"), "rubbish"),
        ):
            self.tell(how, dsn)
            self.assertIn(f"dsn={dsn.status}, ", self.end)
            self.assertIn(f"warning: local_delivery_status_filter: bad status code: {text}", self.host.log.lines)

    def test_verifying(self) -> None:
        """SM-15, DS-3: sendmail -bv is told what the filter makes of it."""
        self.tell("bounced", UNKNOWN, flags=VERIFY_ONLY)
        self.assertEqual(self.end, "dsn=4.1.9, status=undeliverable (softened now)")

    def test_never(self) -> None:
        """DS-3, BO-3: who wants to hear of nothing is recorded all the same: the postmaster's copy tells of all."""
        self.tell("bounced", Dsn("5.1.1", "no"), NOTIFY_NEVER)
        self.assertEqual([log for log, _, _ in self.reports.records], [BOUNCE])

    def test_default_parameter(self) -> None:
        """SM-15: default_delivery_status_filter is every agent's, unless it has its own."""
        main: dict[str, str] = {"virtual_mailbox_maps": "inline:{ {a=b} }"}
        main["default_delivery_status_filter"] = "pcre:{ {/^5\\.1\\.1/ 4.7.1 not yet} }"
        for extra, end in (({}, "4.7.1, status=deferred"), ({"virtual_delivery_status_filter": ""}, "5.1.1, status=b")):
            self.host = MemoryHost({**main, **extra}, "virtual", "virtual", reports=MemoryReports())
            done: Any = VirtualAgent(self.host).deliver(delivery(b"u@x.example", transport="virtual"))
            self.successResultOf(done)
            self.assertIn(end, self.end)
