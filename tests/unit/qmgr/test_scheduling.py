"""Who is served when, by how many at once, and where a recipient goes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import BUSY, DeliveryResult
from pytwfix.contracts.queue import ACTIVE, DEFERRED
from pytwfix.contracts.reports import DEFER
from pytwfix.mail.envelope import TRACE_PROBE
from pytwfix.mail.status import Dsn
from tests.kit.scheduling import REFUSED, World
from tests.kit.spool import result

SUSPENDED = "delivery temporarily suspended: " + REFUSED.reason


class Concurrency(SynchronousTestCase):
    def test_window(self) -> None:
        """SC-3: five deliveries at once to a new destination, more as they succeed, never more than the limit."""
        world = World(default_destination_concurrency_limit="7")
        for number in range(30):
            world.mail(f"Q{number}", b"u@x.example")
        agent = world.agent()
        self.assertEqual(len(agent.requests), 5)
        agent.sent()
        self.assertEqual(len(agent.requests), 6)
        for _ in range(5):
            agent.sent()
        self.assertEqual(len(agent.requests), 7)
        while agent.requests:
            agent.sent()
        self.assertEqual(len(world.store.removed), 30)
        self.assertEqual([one.queue_id for one in agent.seen], [f"Q{number}" for number in range(30)])

    def busy(self, world: World) -> list[bool]:
        return [bool(request.flags & BUSY) for request in world.agent().seen]

    def test_no_hurry(self) -> None:
        """SM-10: a mail now and then, or a few at once, are no reason to keep a connection."""
        world = World()
        world.turn(100)
        for number in range(4):
            world.mail(f"Q{number}", b"u@x.example")
        while world.agent().requests:
            world.agent().sent()
        world.turn(5)
        world.mail("Q9", b"u@x.example")
        self.assertEqual(self.busy(world), [False] * 5)

    def test_hurry(self) -> None:
        """SM-10: as soon as deliveries follow each other, until there is a pause and only one is under way."""
        world = World()
        world.turn(100)
        for number in range(7):
            world.mail(f"Q{number}", b"u@x.example")
        world.agent().sent()
        world.agent().sent()
        self.assertEqual(self.busy(world), [False] * 5 + [True] * 2)
        world.turn(5)
        world.mail("Q7", b"u@x.example")
        world.mail("Q8", b"u@y.example")
        self.assertEqual(self.busy(world)[7:], [True, False])
        while world.agent().requests:
            world.agent().sent()
        world.turn(5)
        world.mail("Q9", b"u@x.example")
        self.assertFalse(self.busy(world)[-1])

    def test_one_by_one(self) -> None:
        """SM-10: where nothing is left the next mail begins anew, unless many come as fast as they are delivered."""
        world = World()
        world.turn(100)
        for number in range(14):
            world.mail(f"Q{number}", b"u@x.example")
            world.agent().sent()
            world.turn(0.5 if number == 3 else 0.01)
        self.assertEqual(self.busy(world), [False] * 9 + [True] * 5)

    def test_no_hurry_after_failures(self) -> None:
        """SM-10: deliveries that could not even begin are none, however fast they follow each other."""
        world = World(smtp_destination_concurrency_failed_cohort_limit="0")
        world.turn(100)
        for number in range(12):
            world.mail(f"Q{number}", b"u@x.example")
            world.agent().deferred(Dsn("4.4.1", "connect: refused"))
            world.turn(0.01)
        world.mail("Q99", b"u@x.example")
        self.assertEqual(self.busy(world), [False] * 13)

    def test_own_limit(self) -> None:
        """QM-10: a transport's own parameters, and local's own defaults."""
        world = World(smtp_destination_concurrency_limit="2")
        for number in range(4):
            world.mail(f"Q{number}", b"u@x.example")
            world.mail(f"L{number}", b"u@example.com")
        self.assertEqual((len(world.agent().requests), len(world.agent("local").requests)), (2, 2))

    def test_processes(self) -> None:
        """SC-2, MA-1: no more deliveries at once than the service has processes; mail is served as it came."""
        world = World()
        world.agents.limits["smtp"] = 3
        for number in range(6):
            world.mail(f"Q{number}", b"u@x%d.example" % number)
        agent = world.agent()
        self.assertEqual([one.queue_id for one in agent.requests], ["Q0", "Q1", "Q2"])
        agent.sent()
        self.assertEqual([one.queue_id for one in agent.requests], ["Q1", "Q2", "Q3"])

    def test_mailboxes(self) -> None:
        """QM-6: with one recipient a delivery, the mailbox without its extension is the destination."""
        world = World(recipient_delimiter="+")
        world.mail("Q1", b"a@example.com", b"b@example.com", b"a+x@example.com", b"A+y@example.com")
        self.assertEqual(
            world.agent("local").recipients(), [[b"A+y@example.com"], [b"a@example.com"], [b"b@example.com"]]
        )
        self.assertEqual(world.agent("local").seen[0].nexthop, "example.com")

    def test_recipient_limit(self) -> None:
        """QM-10: so many recipients a delivery; 0 for all."""
        everyone = [b"u%02d@x.example" % number for number in range(5)]
        world = World(smtp_destination_recipient_limit="2")
        world.mail("Q1", *everyone)
        self.assertEqual([len(one) for one in world.agent().recipients()], [2, 2, 1])
        world = World(smtp_destination_recipient_limit="0")
        world.mail("Q1", *everyone)
        self.assertEqual(world.agent().recipients(), [everyone])

    def test_turns(self) -> None:
        """SC-2: the destinations of a message take turns."""
        world = World(smtp_destination_recipient_limit="1", recipient_delimiter="")
        world.agents.limits["smtp"] = 1
        world.mail("Q1", b"a@x.example", b"a@y.example")
        world.mail("Q2", b"a@x.example", b"b@y.example")
        while world.agent().requests:
            world.agent().sent()
        self.assertEqual([one.queue_id for one in world.agent().seen], ["Q1", "Q1", "Q2", "Q2"])

    def test_destination_delay(self) -> None:
        """SC-5: one delivery at a time, with a pause after each."""
        world = World(smtp_destination_rate_delay="2s")
        for number in range(3):
            world.mail(f"Q{number}", b"u@x.example")
        world.mail("Q3", b"u@y.example")
        agent = world.agent()
        self.assertEqual([one.queue_id for one in agent.requests], ["Q0", "Q3"])
        agent.sent()
        self.assertEqual([one.queue_id for one in agent.requests], ["Q3"])
        world.turn(2)
        self.assertEqual([one.queue_id for one in agent.requests], ["Q3", "Q1"])

    def test_transport_delay(self) -> None:
        """SC-5: the same for the whole transport."""
        world = World(smtp_transport_rate_delay="2s")
        world.mail("Q0", b"u@x.example")
        world.mail("Q1", b"u@y.example")
        world.agent().sent()
        self.assertEqual(world.agent().requests, [])
        world.turn(2)
        self.assertEqual([one.queue_id for one in world.agent().requests], ["Q1"])

    def test_reload(self) -> None:
        """QM-13: limits of a reload hold from then on."""
        world = World()
        for number in range(8):
            world.mail(f"Q{number}", b"u@x.example")
        values = {"smtp_destination_concurrency_limit": "1"}
        world.host.snapshot = type(world.host.snapshot)(values).with_service("qmgr", "qmgr")
        world.mail("Q8", b"u@x.example")
        for _ in range(5):
            self.assertLessEqual(len(world.agent().requests), 5)
            world.agent().sent()
        self.assertEqual(len(world.agent().requests), 1)

    def test_many_destinations(self) -> None:
        """HOUSE 5: destinations that have nothing to remember are forgotten."""
        world = World()
        world.agent().at_once = lambda request: DeliveryResult(recorded=False)
        for number in range(2500):
            world.mail(f"Q{number}", b"u@x%d.example" % number)
        self.assertLess(len(world.queue._active.transports["smtp"].destinations), 1100)

    def test_deep(self) -> None:
        """Deliveries that end at once do not pile up on the stack."""
        world = World()
        agent = world.agent()
        for number in range(3000):
            world.mail(f"Q{number}", b"u@x.example")
        agent.at_once = lambda request: DeliveryResult(recorded=False)
        while agent.requests:
            agent.sent()
        self.assertEqual(len(world.store.removed), 3000)


class Dead(SynchronousTestCase):
    def test_cohorts(self) -> None:
        """SC-3: a real Postfix gives a destination up with the third failure of five at once (0.2 + 0.33 + 0.5)."""
        world = World(destination_concurrency_feedback_debug="yes")
        for number in range(7):
            world.mail(f"Q{number}", b"u@x.example")
        for _ in range(3):
            world.agent().deferred(REFUSED)
        throttled = [line.partition("x.example: ")[2] for line in world.log if "throttle:" in line]
        self.assertEqual(throttled[:2], [
            "limit 20 window 3 success 0 failure 1 fail_cohorts 0.2",
            "limit 20 window 2 success 0 failure 1 fail_cohorts 0.533333",
        ])  # fmt: skip
        self.assertTrue(throttled[2].endswith("fail_cohorts 1.03333"))
        retry = world.agent("retry").seen
        self.assertEqual([one.queue_id for one in retry], ["Q5", "Q6"])
        self.assertEqual(retry[0].override, REFUSED._replace(reason=SUSPENDED))

    def test_suspended(self) -> None:
        """SC-4, QM-5: mail for a dead destination goes to the retry service, until minimal_backoff_time is over."""
        world = self.dead()
        world.mail("Q9", b"u@x.example")
        world.mail("Y1", b"u@y.example")
        self.assertEqual(world.agent("retry").seen[-1].queue_id, "Q9")
        self.assertEqual(world.agent().requests[-1].queue_id, "Y1")
        world.turn(300)
        world.mail("Q10", b"u@x.example")
        self.assertEqual(world.agent().requests[-1].queue_id, "Q10")

    def dead(self) -> World:
        world = World()
        for number in range(3):
            world.mail(f"Q{number}", b"u@x.example")
        for _ in range(3):
            world.agent().deferred(REFUSED)
        return world

    def test_reload(self) -> None:
        """MA-5, SC-4: a reload gives it another chance too."""
        world = self.dead()
        world.queue.reloaded()
        world.mail("Q9", b"u@x.example")
        self.assertEqual(world.agent().requests[-1].queue_id, "Q9")

    def test_flush(self) -> None:
        """SC-4: a flush gives it another chance; so does a message that is asked for by name."""
        world = self.dead()
        result(world.queue.flush())
        world.turn()
        self.assertEqual([one.queue_id for one in world.agent().requests], ["Q0", "Q1", "Q2"])
        world = self.dead()
        result(world.queue.deliver_now("Q1"))
        self.assertEqual([one.queue_id for one in world.agent().requests], ["Q1"])

    def test_answers_after_all(self) -> None:
        """SC-4: a delivery that was under way succeeds: the destination is alive."""
        world = World()
        for number in range(6):
            world.mail(f"Q{number}", b"u@x.example")
        for _ in range(3):
            world.agent().deferred(REFUSED)
        self.assertEqual([one.queue_id for one in world.agent("retry").seen], ["Q5"])
        world.agent().sent()
        world.mail("Q6", b"u@x.example")
        self.assertEqual([one.queue_id for one in world.agent().requests], ["Q4", "Q6"])

    def test_single_failures(self) -> None:
        """SC-3: one failure now and then kills nothing: an idle destination begins anew."""
        world = World()
        for number in range(9):
            world.mail(f"Q{number}", b"u@x.example")
            world.agent().deferred(REFUSED)
        self.assertEqual(world.agent("retry").seen, [])

    def test_no_transport(self) -> None:
        """QM-5, SC-4: a transport that master.cf does not have."""
        world = World("retry")
        world.mail("Q1", b"u@x.example")
        world.mail("Q2", b"u@y.example")
        self.assertEqual(world.log.count("warning: connect to transport private/smtp: No such file or directory"), 1)
        retry = world.agent("retry").seen
        self.assertEqual([one.override for one in retry], [Dsn("4.3.0", "mail transport unavailable")] * 2)
        self.assertEqual(world.store.ids(DEFERRED), ["Q1", "Q2"])

    def test_no_retry(self) -> None:
        """LG-10: without a retry service the queue manager defers mail itself."""
        world = World("local")
        world.mail("Q1", b"u@x.example")
        self.assertIn(
            "Q1: to=<u@x.example>, relay=none, delay=0, delays=0/0/0/0, dsn=4.3.0, status=deferred "
            "(mail transport unavailable)",
            world.log,
        )
        self.assertEqual(world.reports.records[DEFER, "Q1"][0].dsn.action, "delayed")
        self.assertEqual(world.store.ids(DEFERRED), ["Q1"])

    def test_transport_dead(self) -> None:
        """SC-4: an agent that says that all its destinations are dead."""
        world = World()
        world.mail("Q1", b"u@x.example")
        world.mail("Q2", b"u@y.example")
        dsn = Dsn("4.7.5", "no certificate")
        world.agent().answer(DeliveryResult(world.agent().requests[0].recipients, transport_dead=dsn))
        world.mail("Q3", b"u@z.example")
        self.assertEqual([one.override for one in world.agent("retry").seen], [dsn])


class Overtaking(SynchronousTestCase):
    def large(self, cost: str = "5") -> World:
        """A list mail of which one delivery at a time is made."""
        world = World(
            smtp_destination_recipient_limit="1",
            smtp_destination_concurrency_limit="1000",
            default_delivery_slot_cost=cost,
        )
        world.agents.limits["smtp"] = 1
        world.mail("BIG", *(b"u%03d@list.example" % number for number in range(100)))
        return world

    def order(self, world: World, count: int) -> list[str]:
        for _ in range(count):
            world.agent().sent()
        return [one.queue_id for one in world.agent().seen]

    def test_slots(self) -> None:
        """SC-6: a small mail overtakes a large one, at once thanks to the loan, and the large one goes on after it."""
        world = self.large()
        world.mail("ONE", b"u@x.example")
        world.mail("TWO", b"v@x.example")
        order = self.order(world, 12)
        self.assertEqual(order[:4], ["BIG", "ONE", "TWO", "BIG"])
        self.assertEqual(order.count("BIG"), 11)

    def test_cost(self) -> None:
        """SC-6: each overtaking must be earned: five deliveries a slot, half of them and three slots on credit."""
        world = self.large()
        for number in range(40):
            world.mail(f"S{number}", b"s%d@x.example" % number)
        order = self.order(world, 60)
        small = sum(name != "BIG" for name in order)
        self.assertEqual(small, 3 + len([name for name in order if name == "BIG"]) // 5)

    def test_off(self) -> None:
        """SC-6: without a slot cost nobody overtakes; nor is a mail overtaken that is small itself."""
        world = self.large("0")
        world.mail("ONE", b"u@x.example")
        self.assertNotIn("ONE", self.order(world, 20))
        world = World(smtp_destination_recipient_limit="1")
        world.agents.limits["smtp"] = 1
        world.mail("MID", *(b"u%d@y.example" % number for number in range(14)))
        world.mail("ONE", b"u@x.example")
        self.assertNotIn("ONE", self.order(world, 10))

    def test_fits(self) -> None:
        """SC-6: the candidate must fit; the one that has waited longest for the least is taken."""
        world = self.large()
        world.mail("HUGE", *(b"h%d@x.example" % number for number in range(90)))
        world.mail("SIX", *(b"f%d@x.example" % number for number in range(6)))
        order = self.order(world, 16)
        self.assertEqual([order[0], order.count("SIX"), order.count("HUGE")], ["BIG", 6, 0])


class Routes(SynchronousTestCase):
    def test_redirect(self) -> None:
        """CA-10, QM-5: the whole message goes to one address."""
        world = World()
        world.mail("Q1", b"u@x.example", b"v@y.example", redirect=b"r@z.example", content_filter="smtp:[f]")
        self.assertEqual(world.agent().recipients(), [[b"r@z.example"]])
        recipient = world.agent().seen[0].recipients[0]
        self.assertEqual((recipient.offset, recipient.original), (1, b"u@x.example"))
        world.agent().sent()
        self.assertEqual(world.store.removed, ["Q1"])

    def test_filter(self) -> None:
        """QM-5, OB-13: a content filter takes all mail but probes."""
        world = World("scan", "smtp", "retry")
        world.mail("Q1", b"u@x.example", b"v@y.example", content_filter="scan:[127.0.0.1]:10025")
        world.mail("Q2", b"u@x.example", content_filter="scan:")
        world.mail("Q3", b"u@x.example", content_filter="scan:[f]", trace_flags=TRACE_PROBE)
        self.assertEqual(
            [(one.nexthop, len(one.recipients)) for one in world.agent("scan").seen],
            [("[127.0.0.1]:10025", 2), ("x.example", 1)],
        )
        self.assertEqual(len(world.agent().seen), 1)
        world = World("scan", default_filter_nexthop="mx.example.com")
        world.mail("Q1", b"u@x.example", content_filter="scan:")
        self.assertEqual(world.agent("scan").seen[0].nexthop, "mx.example.com")

    def test_defer_transports(self) -> None:
        """QM-5: a transport that waits to be asked."""
        world = World(defer_transports="smtp")
        world.mail("Q1", b"u@x.example")
        world.mail("Q2", b"u@x.example", content_filter="smtp:[f]")
        retry = world.agent("retry").seen
        self.assertEqual([one.nexthop for one in retry], ["4.3.2 deferred transport"] * 2)
        result(world.queue.flush())
        world.turn()
        self.assertEqual(len(world.agent().seen), 2)

    def test_null(self) -> None:
        """QM-5: the null recipient."""
        world = World()
        world.mail("Q1", b"")
        self.assertEqual(world.agent("error").seen[0].nexthop, "5.1.3 null recipient address")

    def test_double_bounce(self) -> None:
        """QM-5: a notice about a notice ends here."""
        world = World()
        world.mail("Q1", b"Double-Bounce@example.com", sender=b"")
        self.assertEqual(world.log[1:], [
            "Q1: to=<Double-Bounce@example.com>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent "
            "(undeliverable postmaster notification discarded)",
            "Q1: removed",
        ])  # fmt: skip
        world.mail("Q2", b"double-bounce@example.com", b"u@example.com")
        world.agent("local").sent()
        self.assertEqual(world.store.removed, ["Q1", "Q2"])

    def test_probes(self) -> None:
        """QM-5: too many probes at once."""
        world = World(address_verify_pending_request_limit="1")
        world.mail("Q1", b"u@x.example", trace_flags=TRACE_PROBE)
        world.mail("Q2", b"u@x.example", trace_flags=TRACE_PROBE)
        self.assertEqual(world.agent("retry").seen[0].nexthop, "4.3.2 Too many address verification requests")
        world.agent().sent()
        world.mail("Q3", b"u@x.example", trace_flags=TRACE_PROBE)
        self.assertEqual(len(world.agent().seen), 2)

    def test_resolver_failure(self) -> None:
        """QM-5: the rewriter itself says retry."""
        world = World()
        world.rewriter.routes[b"x.example"] = ("retry", "4.3.0 address resolver failure")
        world.mail("Q1", b"u@x.example")
        self.assertEqual(world.agent("retry").seen[0].nexthop, "4.3.0 address resolver failure")

    def test_verp(self) -> None:
        """SC-11: a delivery for each recipient, whose address is in the sender's."""
        world = World()
        world.mail("Q1", b"u@x.example", b"v@x.example", sender=b"list@l.example", verp="+=")
        senders = [one.envelope.sender for one in world.agent().seen]
        self.assertEqual(senders, [b"list+u=x.example@l.example", b"list+v=x.example@l.example"])
        self.assertEqual([one.envelope.queue_id for one in world.agent().seen], ["Q1", "Q1"])
        world.mail("Q2", b"u@x.example", sender=b"", verp="+=")
        self.assertEqual(world.agent().seen[2].envelope.sender, b"")


class Portions(SynchronousTestCase):
    def test_refill(self) -> None:
        """SC-7, QM-4: a large message is taken in portions, as memory allows; all of it is delivered."""
        world = World(
            qmgr_message_active_limit="20", qmgr_message_recipient_limit="20", default_recipient_refill_limit="5",
            smtp_destination_recipient_limit="2",
        )  # fmt: skip
        world.mail("BIG", *(b"u%03d@x.example" % number for number in range(100)))
        active = world.queue._active
        self.assertEqual((active.recipients, len(world.rewriter.asked)), (20, 20))
        most = 0
        while world.agent().requests:
            world.agent().sent()
            most = max(most, active.recipients)
        self.assertLessEqual(most, 30)
        self.assertEqual(sum(map(len, world.agent().recipients())), 100)
        self.assertEqual((world.store.removed, active.recipients), (["BIG"], 0))
        self.assertEqual(active.transports["smtp"].recipients, 0)

    def test_many_recipients(self) -> None:
        """SC-7: thousands of recipients are resolved in several turns of the reactor."""
        world = World(smtp_destination_recipient_limit="0")
        world.mail("BIG", *(b"u%04d@x.example" % number for number in range(1200)))
        self.assertEqual((len(world.rewriter.asked), world.agent().seen), (500, []))
        world.turn()
        world.agent().sent()
        self.assertEqual(world.store.removed, ["BIG"])

    def test_minimum(self) -> None:
        """QM-4: every message gets its minimum, whatever others hold; transports have limits of their own."""
        world = World(smtp_recipient_limit="15", qmgr_message_recipient_minimum="4")
        for name in ("Q1", "Q2"):
            world.mail(name, *(b"u%03d@x.example" % number for number in range(50)))
        self.assertEqual([len(one) for one in world.agent().recipients()], [15, 4])
        while world.agent().requests:
            world.agent().sent()
        self.assertEqual(sorted(world.store.removed), ["Q1", "Q2"])


class Clogged(SynchronousTestCase):
    def test_warning(self) -> None:
        """QM-12: a destination with more than a fifth of the active queue, once in qmgr_clog_warn_time."""
        world = World(qmgr_message_active_limit="600")
        for number in range(400):
            world.mail(f"Q{number}", b"u@x.example")
        warned = [line for line in world.log if line.startswith("warning: mail for")]
        self.assertEqual(warned, ["warning: mail for x.example is using up 200 of 200 active queue entries"])
        self.assertIn("warning: to turn off these warnings specify: qmgr_clog_warn_time = 0", world.log)
        self.assertIn("warning: you may need to increase the master.cf smtp process limit", world.log)

    def test_successful(self) -> None:
        """QM-12: other advice where deliveries succeed."""
        world = World(qmgr_message_active_limit="500", smtp_destination_concurrency_limit="5")
        for number in range(200):
            world.mail(f"Q{number}", b"u@x.example")
        self.assertIn(
            "warning: you may need to increase the main.cf smtp_destination_concurrency_limit from 5", world.log
        )
        self.assertEqual(len(world.store.ids(ACTIVE)), 200)
