"""A message's life: in, delivered, deferred, returned, removed."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import FLUSHED, PROBE, VERIFY_ONLY, DeliveryResult
from pytwfix.contracts.queue import ACTIVE, CORRUPT, DEFERRED, INCOMING, QueueError
from pytwfix.contracts.reports import BOUNCE, DEFER, TRACE, Report
from pytwfix.contracts.rewriting import Resolved
from pytwfix.mail.envelope import TRACE_PROBE, TRACE_RECORD, TRACE_VERIFY_ONLY, Recipient
from pytwfix.mail.status import NOTIFY_NEVER, Dsn
from tests.kit.scheduling import REFUSED, World
from tests.kit.spool import result


class Delivered(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()

    def test_removed(self) -> None:
        """QM-8, LG-9, ST-2: logged when active, removed when done; nothing is read or renamed on the way."""
        self.world.mail("Q1", b"u@x.example")
        self.assertEqual(self.world.log, ["Q1: from=<a@b.example>, size=100, nrcpt=1 (queue active)"])
        self.world.agent().sent()
        self.assertEqual(self.world.log[1:], ["Q1: removed"])
        self.assertEqual((self.world.store.removed, self.world.store.opened), (["Q1"], []))

    def test_at_once(self) -> None:
        """HOUSE 5: an agent that answers at once."""
        self.world.agent().at_once = lambda request: DeliveryResult(recorded=False)
        self.world.mail("Q1", b"u@x.example")
        self.assertEqual(self.world.log[1:], ["Q1: removed"])

    def test_request(self) -> None:
        """QM-7: what the agent is told."""
        self.world.turn(5)
        self.world.mail("Q1", b"u@X.example", sender=b"", arrival=self.world.host.now() - 2)
        request = self.world.agent().requests[0]
        self.assertEqual((request.queue, request.queue_id, request.transport), (ACTIVE, "Q1", "smtp"))
        self.assertEqual((request.nexthop, request.flags), ("X.example", 0))
        times = request.times
        self.assertEqual((times.active - times.arrival, times.handoff - times.active), (2, 0))

    def test_several(self) -> None:
        """QM-4: by destination, recipients in the order of their domains, one request for each destination."""
        self.world.rewriter.routes = dict.fromkeys((b"a.example", b"b.example", b"c.example"), ("smtp", "[relay]"))
        self.world.mail("Q1", b"zz@b.example", b"aa@b.example", b"mm@a.example", b"bb@c.example", b"u@x.example")
        self.assertEqual(
            self.world.agent().recipients(),
            [[b"mm@a.example", b"aa@b.example", b"zz@b.example", b"bb@c.example"], [b"u@x.example"]],
        )
        self.world.agent().sent()
        self.assertEqual(self.world.store.removed, [])
        self.world.agent().sent()
        self.assertEqual(self.world.store.removed, ["Q1"])

    def test_bounced(self) -> None:
        """ST-3: the notice goes out before the file is removed."""
        self.world.mail("Q1", b"u@x.example")
        self.world.agent().bounced()
        self.assertEqual(self.world.reports.notices, [("bounce", "Q1")])
        self.assertEqual(self.world.store.removed, ["Q1"])

    def test_bounce_fails(self) -> None:
        """ST-3: a notice that cannot be sent keeps the message; the next attempt has nothing to do but that."""
        self.world.reports.fails = QueueError("no space")
        self.world.mail("Q1", b"u@x.example")
        self.world.agent().bounced()
        self.assertEqual(self.world.store.ids(DEFERRED), ["Q1"])
        self.assertIn("warning: Q1: bounce service failure: no space", self.world.log)
        self.world.reports.fails = None
        self.world.turn(300)
        self.assertEqual(len(self.world.agent().seen), 1)
        self.assertEqual((self.world.reports.notices, self.world.store.removed), ([("bounce", "Q1")], ["Q1"]))

    def test_reports_silent(self) -> None:
        """ST-3: a bounce service that does not answer in qmgr_daemon_timeout delays the mail."""
        self.patch(self.world.reports, "read", lambda log, queue_id: Deferred())
        self.world.mail("Q1", b"u@x.example")
        self.world.agent().bounced()
        self.assertEqual(self.world.store.ids(DEFERRED), [])
        self.world.turn(1000)
        self.assertEqual(self.world.store.ids(DEFERRED), ["Q1"])

    def test_trace(self) -> None:
        """DS-3: a report of success is sent."""
        self.world.mail("Q1", b"u@x.example", trace_flags=TRACE_RECORD)
        self.world.reports.records[TRACE, "Q1"] = [Report(Recipient(b"u@x.example"), Dsn("2.0.0", "ok"))]
        self.world.agent().answer(DeliveryResult())
        self.assertEqual(self.world.reports.notices, [("trace", "Q1")])

    def test_trace_once(self) -> None:
        """DS-3: `sendmail -v` tells of the first attempt only."""
        self.world.mail("Q1", b"u@x.example", trace_flags=TRACE_RECORD)
        self.world.reports.records[TRACE, "Q1"] = [Report(Recipient(b"u@x.example"), REFUSED)]
        self.world.agent().deferred()
        self.assertEqual(self.world.store.updated, [("Q1", 0, 0)])

    def test_flags(self) -> None:
        """QM-7: what sendmail -bv, -v and probes ask for."""
        self.world.mail("Q1", b"u@x.example", trace_flags=TRACE_VERIFY_ONLY)
        self.world.mail("Q2", b"u@y.example", trace_flags=TRACE_PROBE)
        self.assertEqual([one.flags for one in self.world.agent().seen], [VERIFY_ONLY, PROBE])
        self.assertEqual([verify for _, _, verify in self.world.rewriter.asked], [False, True])

    def test_slow_rewriter(self) -> None:
        """QM-5: the route comes later."""
        self.world.rewriter.slow = []
        self.world.mail("Q1", b"u@x.example")
        self.world.mail("Q2", b"u@x.example", b"v@x.example")
        self.assertEqual(self.world.agent().seen, [])
        for answer in self.world.rewriter.slow:
            answer.callback(Resolved("", "", b"", 0))
        self.assertEqual(self.world.agent().recipients(), [[b"u@x.example"], [b"u@x.example", b"v@x.example"]])

    def test_no_answer(self) -> None:
        """QM-5: a rewriter that does not answer in qmgr_ipc_timeout, or cannot, delays the mail."""
        self.world.rewriter.slow = []
        self.world.mail("Q1", b"u@x.example")
        self.world.mail("Q2", b"u@x.example", b"v@x.example")
        self.world.rewriter.slow[1].errback(QueueError("gone"))
        self.world.turn(60)
        self.world.turn(60)
        nexthops = {one.nexthop for one in self.world.agent("retry").seen}
        self.assertEqual(nexthops, {"4.3.0 address resolver failure"})
        self.assertEqual(self.world.store.ids(DEFERRED), ["Q1", "Q2"])

    def test_remove_fails(self) -> None:
        """QU-5: a file that was taken away meanwhile."""
        self.world.mail("Q1", b"u@x.example")
        self.world.store.queues[ACTIVE].clear()
        self.world.agent().sent()
        self.assertEqual(self.world.log[1:], ["warning: Q1: remove from active: remove Q1: No such file or directory"])

    def test_crash(self) -> None:
        """SC-4: nobody knows what became of it; the retry service says so, the transport rests a while."""
        self.world.mail("Q1", b"u@x.example")
        self.world.agent().crashed()
        self.assertEqual(self.world.agent("retry").seen[0].override, Dsn("4.3.0", "unknown mail transport error"))
        self.assertIn("warning: private/smtp: premature disconnect", self.world.log)
        self.assertEqual(self.world.store.ids(DEFERRED), ["Q1"])
        self.world.mail("Q2", b"u@y.example")
        self.assertEqual(len(self.world.agent().seen), 1)
        self.world.turn(60)
        self.world.mail("Q3", b"u@y.example")
        self.assertEqual(len(self.world.agent().seen), 2)

    def test_stuck(self) -> None:
        """QM-7: an agent of which nothing is heard for daemon_timeout is given up; its answer comes too late."""
        self.world.mail("Q1", b"u@x.example")
        self.world.turn(18001)
        self.world.turn(300)
        self.assertEqual(self.world.store.ids(DEFERRED), ["Q1"])
        self.world.agent().sent()
        self.assertEqual(self.world.store.removed, [])


class Deferral(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.now = self.world.host.now()

    def test_backoff(self) -> None:
        """SC-8: the wait is as long as the message is old, within limits."""
        for number, (age, wait) in enumerate(((0, 300), (1000, 1000), (9000, 4000))):
            self.world.mail(f"Q{number}", b"u@x.example", arrival=self.now - age)
            self.world.agent().deferred()
            self.assertEqual(self.world.store.times[f"Q{number}"] - self.now, wait)
        self.assertEqual(self.world.store.ids(DEFERRED), ["Q0", "Q1", "Q2"])

    def test_again(self) -> None:
        """QM-2: it is taken when its time has come, and the reasons of before are forgotten."""
        self.world.mail("Q1", b"u@x.example", b"v@y.example")
        self.world.agent().sent()
        self.world.agent().deferred()
        self.assertEqual(len(self.world.reports.records[DEFER, "Q1"]), 1)
        self.world.turn(300)
        self.assertNotIn((DEFER, "Q1"), self.world.reports.records)
        self.assertEqual(self.world.agent().recipients()[2:], [[b"v@y.example"]])
        self.assertEqual(self.world.log[-1], "Q1: from=<a@b.example>, size=100, nrcpt=2 (queue active)")
        self.world.agent().sent()
        self.assertEqual(self.world.store.removed, ["Q1"])

    def test_not_yet(self) -> None:
        """QM-2: files whose time has not come stay where they are."""
        self.world.waiting("Q1", b"u@x.example", when=self.now + 1000)
        self.world.turn(300)
        self.assertEqual(self.world.agent().seen, [])

    def test_expired(self) -> None:
        """SC-9, QM-8: too old: what delayed it is the reason why it is returned."""
        self.world.mail("Q1", b"u@x.example", b"v@x.example", arrival=self.now - 432000)
        self.world.agent().deferred()
        self.assertIn("Q1: from=<a@b.example>, status=expired, returned to sender", self.world.log)
        reports = self.world.reports.bounced[0]
        self.assertEqual([(one.recipient.address, one.dsn.status) for one in reports],
                         [(b"u@x.example", "4.4.1"), (b"v@x.example", "4.4.1")])  # fmt: skip
        self.assertEqual({one.dsn.action for one in reports}, {"failed"})
        self.assertNotIn((DEFER, "Q1"), self.world.reports.records)
        self.assertEqual(self.world.store.removed, ["Q1"])

    def test_expired_never(self) -> None:
        """SC-9: it is reported, whoever wants to hear of it: postmaster may want a copy (BO-3)."""
        envelope = self.world.envelope("Q1", b"u@x.example", arrival=self.now - 432000)
        envelope.recipients[0].notify = NOTIFY_NEVER
        self.world.store.put(ACTIVE, envelope)
        self.world.queue.wake_active(None, envelope)
        self.world.agent().deferred()
        self.assertEqual((self.world.reports.notices, self.world.store.removed), ([("bounce", "Q1")], ["Q1"]))

    def test_expired_but_bounce_fails(self) -> None:
        """SC-9: it stays until the sender can be told, and is not told twice of it."""
        self.world.reports.fails = QueueError("no space")
        self.world.mail("Q1", b"u@x.example", arrival=self.now - 432000)
        self.world.agent().deferred()
        self.assertEqual(self.world.store.ids(DEFERRED), ["Q1"])
        self.assertNotIn((BOUNCE, "Q1"), self.world.reports.records)

    def test_notice_lifetime(self) -> None:
        """SC-9: bounce_queue_lifetime is for the null sender, and not longer than the other."""
        world = World(bounce_queue_lifetime="1h", maximal_queue_lifetime="2h")
        world.mail("Q1", b"u@x.example", sender=b"", arrival=world.host.now() - 3600)
        world.mail("Q2", b"u@y.example", arrival=world.host.now() - 3600)
        world.agent().deferred()
        world.agent().deferred()
        self.assertIn("Q1: from=<>, status=expired, returned to sender", world.log)
        self.assertEqual(world.store.ids(DEFERRED), ["Q2"])
        world = World(bounce_queue_lifetime="3h", maximal_queue_lifetime="2h")
        world.mail("Q1", b"u@x.example")
        text = "warning: bounce_queue_lifetime is larger than maximal_queue_lifetime - adjusting bounce_queue_lifetime"
        self.assertIn(text, world.log)

    def test_forced(self) -> None:
        """SC-9, QM-5: expired by hand, for the reason that it was deferred for, without another attempt."""
        self.world.reports.records[DEFER, "Q1"] = [Report(Recipient(b"u@x.example"), REFUSED)]
        self.world.waiting("Q1", b"u@x.example", force_expired=True)
        self.world.turn(300)
        self.assertIn("Q1: from=<a@b.example>, status=force-expired, returned to sender", self.world.log)
        self.assertEqual(self.world.reports.bounced[0][0].dsn.reason, REFUSED.reason)
        self.assertEqual(self.world.agent("retry").seen, [])

    def test_forced_without_reason(self) -> None:
        """QM-5: the retry service gives the reason when there is none."""
        self.world.waiting("Q1", b"u@x.example", force_expired=True)
        self.world.turn(300)
        self.assertEqual(self.world.agent("retry").seen[0].nexthop, "4.7.0 message is administratively expired")
        self.assertEqual(self.world.store.removed, ["Q1"])

    def test_delay_notice(self) -> None:
        """DS-2, SC-9: one notice of a delay, for senders that can be told."""
        self.world.mail("Q1", b"u@x.example", warn_time=self.now - 1)
        self.world.agent().deferred()
        self.assertEqual(self.world.reports.notices, [("delay", "Q1")])
        self.assertEqual(self.world.store.updated, [("Q1", -1, 0)])
        self.world.mail("Q2", b"u@x.example", warn_time=self.now + 1000)
        self.world.agent().deferred()
        self.world.mail("Q3", b"u@x.example", sender=b"", warn_time=self.now - 1)
        self.world.agent().deferred()
        self.assertEqual(len(self.world.reports.notices), 1)

    def test_delay_cleared(self) -> None:
        """SC-9: confirm_delay_cleared asks agents to report success after a delay notice."""
        world = World(confirm_delay_cleared="yes")
        world.waiting("Q1", b"u@x.example", warn_time=-1.0)
        world.turn(300)
        self.assertEqual(world.agent().seen[0].flags, 1)

    def test_partial_bounce(self) -> None:
        """ST-3: what bounced is told at once, what is deferred stays."""
        self.world.mail("Q1", b"u@x.example", b"v@y.example")
        self.world.agent().bounced()
        self.world.agent().deferred()
        self.assertEqual(self.world.reports.notices, [("bounce", "Q1")])
        self.assertEqual(self.world.store.ids(DEFERRED), ["Q1"])

    def test_sites(self) -> None:
        """FL-1: the flush service is told who waits for which domain."""
        world = World(fast_flush_domains="x.example")
        world.mail("Q1", b"u@X.example")
        world.agent().deferred()
        self.assertEqual(world.flusher.added, [("x.example", "Q1")])

    def test_move_fails(self) -> None:
        """QU-5: a file that cannot be moved is tried again with the next queue run."""
        self.world.mail("Q1", b"u@x.example")
        self.world.store.fails = QueueError("disk error")
        self.world.agent().deferred()
        self.assertIn("warning: Q1: defer from active: disk error", self.world.log)
        self.world.store.fails = None
        self.world.turn(300)
        self.assertEqual(self.world.store.ids(DEFERRED), ["Q1"])


class Coming(SynchronousTestCase):
    def test_start(self) -> None:
        """QM-2, QU-6: what was active is taken up again, then what is incoming and what is due."""
        world = World(start=False)
        world.waiting("Q1", b"u@x.example", queue=ACTIVE)
        world.incoming("Q2", b"u@y.example")
        world.waiting("Q3", b"u@z.example")
        self.assertFalse(world.queue.admits())
        world.queue.startService()
        world.turn()
        self.assertEqual({one.queue_id for one in world.agent().seen}, {"Q1", "Q2", "Q3"})
        self.assertTrue(world.queue.admits())

    def test_wake(self) -> None:
        """QM-1: woken with the envelope, nothing is read; without, the file is."""
        world = World()
        envelope = world.incoming("Q1", b"u@x.example")
        world.queue.wake("Q1", envelope)
        world.incoming("Q2", b"u@y.example")
        world.queue.wake("Q2")
        world.queue.wake("Q3", world.envelope("Q3", b"u@x.example"))
        self.assertEqual(([one.queue_id for one in world.agent().seen], world.store.opened), (["Q1", "Q2"], ["Q2"]))

    def test_limit(self) -> None:
        """QM-4: no more than qmgr_message_active_limit messages at once; the others wait in incoming."""
        world = World(qmgr_message_active_limit="2")
        for number in range(4):
            envelope = world.incoming(f"Q{number}", b"u@x%d.example" % number)
            world.queue.wake(f"Q{number}", envelope)
        self.assertFalse(world.queue.admits())
        self.assertEqual((world.store.ids(ACTIVE), world.store.ids(INCOMING)), (["Q0", "Q1"], ["Q2", "Q3"]))
        world.agent().sent()
        self.assertEqual(world.store.ids(INCOMING), ["Q3"])
        world.agent().sent()
        self.assertEqual(world.store.ids(INCOMING), [])

    def test_corrupt(self) -> None:
        """QM-3: a file that makes no sense goes to corrupt/."""
        world = World()
        world.incoming("Q1", b"u@x.example")
        world.store.broken.add("Q1")
        world.queue.wake("Q1")
        self.assertEqual(world.store.ids(CORRUPT), ["Q1"])
        self.assertIn('warning: saving corrupt file "Q1" from queue "active" to queue "corrupt"', world.log)

    def test_busy(self) -> None:
        """ST-7: an agent of before is still at it."""
        world = World()
        world.incoming("Q1", b"u@x.example")
        world.store.busy.add("Q1")
        world.queue.wake("Q1")
        self.assertEqual(world.log, ["Q1: skipped, still being delivered"])
        self.assertEqual(world.store.times["Q1"] - world.host.now(), 300)

    def test_fairness(self) -> None:
        """QM-2: one new message for one old."""
        world = World(start=False)
        for number in range(3):
            world.incoming(f"N{number}", b"u@x.example")
            world.waiting(f"D{number}", b"u@x.example")
        world.queue.startService()
        world.turn()
        active = [line[:2] for line in world.log if "queue active" in line]
        self.assertEqual(active, ["N0", "D0", "N1", "D1", "N2", "D2"])

    def test_no_recipients(self) -> None:
        """ST-2: a message of which all recipients are done is removed."""
        world = World()
        envelope = world.incoming("Q1", b"u@x.example")
        envelope.recipients[0].done = True
        world.queue.wake("Q1")
        self.assertEqual(world.store.removed, ["Q1"])

    def test_stop(self) -> None:
        """QM-1: deliveries under way may end."""
        world = World()
        world.mail("Q1", b"u@x.example")
        stopped = world.queue.stopService()
        assert stopped is not None
        self.assertFalse(world.queue.admits())
        world.turn(1)
        self.assertNoResult(stopped)
        world.agent().sent()
        world.turn(1)
        self.successResultOf(stopped)
        self.assertEqual(world.host.clock.getDelayedCalls(), [])


class ByHand(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.later = self.world.host.now() + 1000

    def test_flush(self) -> None:
        """QM-1, SC-4: postqueue -f: all deferred mail, whatever its time, and dead destinations get another chance."""
        self.world.waiting("Q1", b"u@x.example", when=self.later)
        result(self.world.queue.flush())
        self.world.turn()
        self.assertEqual(self.world.agent().seen[0].flags, FLUSHED)

    def test_site(self) -> None:
        """FL-1: postqueue -s, ETRN."""
        self.world.waiting("Q1", b"u@x.example", when=self.later)
        self.world.waiting("Q2", b"u@y.example", when=self.later)
        self.world.flusher.waiting["x.example"] = ["Q1", "Q0"]
        result(self.world.queue.flush(["x.example"]))
        self.assertEqual([one.queue_id for one in self.world.agent().seen], ["Q1"])
        self.failureResultOf(self.world.queue.flush(["y.example"]), ValueError)

    def test_deliver_now(self) -> None:
        """PQ-1: postqueue -i, even where the destination is dead."""
        self.world.waiting("Q1", b"u@x.example", when=self.later)
        self.assertTrue(result(self.world.queue.deliver_now("Q1")))
        self.assertTrue(result(self.world.queue.deliver_now("Q1")))
        self.assertFalse(result(self.world.queue.deliver_now("Q2")))
        self.world.incoming("Q3", b"u@y.example")
        self.assertTrue(result(self.world.queue.deliver_now("Q3")))
        self.assertEqual(len(self.world.agent().seen), 2)

    def test_forget(self) -> None:
        """QU-5: a file was taken away by hand: what waits is dropped, what is under way ends."""
        world = World(default_destination_recipient_limit="1", initial_destination_concurrency="1")
        world.mail("Q1", b"u@x.example", b"u@y.example", b"u@y.example")
        self.assertEqual(len(world.agent().seen), 2)
        world.store.queues[ACTIVE].clear()
        world.queue.forget(["Q1", "Q7"])
        world.agent().sent()
        world.agent().deferred()
        self.assertEqual((len(world.agent().seen), world.store.removed), (2, []))
        self.assertEqual(world.queue._active.messages, {})
        self.assertEqual(world.queue._active.recipients, 0)

    def test_trigger(self) -> None:
        """QM-1: a scan on demand."""
        self.world.incoming("Q1", b"u@x.example")
        self.world.queue.trigger()
        self.assertEqual(len(self.world.agent().seen), 1)
