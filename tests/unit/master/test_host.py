"""master/host.py, process.py and fullness.py: what a service is given."""

from __future__ import annotations

import os
from typing import Any, cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master.fullness import Fullness
from pytwfix.master.host import ServiceHost
from pytwfix.master.plan import Plan
from pytwfix.master.process import Process, SystemRandom
from pytwfix.settings.common import CommonSettings
from tests.kit.host import InstantThreads
from tests.unit.master.test_plan import named, plan_of
from tests.unit.master.test_supervisor import Lines


def limited(limit: str) -> str:
    return f"25 inet n - n - {limit} smtpd\n"


class HostCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.lines = Lines()
        self.clock = Clock()
        self.process = Process(self.clock, cast(Any, self.lines))
        self.told: list[bool] = []

    def host(self, plan: Plan) -> ServiceHost:
        made = ServiceHost(self.process, plan, named(plan, "25"), None)
        made.full = self.told.append
        return made


class Sessions(HostCase):
    """MA-7: the process limit."""

    def plan(self, limit: str) -> Plan:
        return plan_of(self, "", limited(limit))

    def adopt(self, host: ServiceHost, limit: str) -> None:
        plan = self.plan(limit)
        host.adopt(plan, named(plan, "25"))

    def test_limit(self) -> None:
        """Ports rest at the limit, and nothing more is let in; one that goes makes room."""
        host = self.host(self.plan("2"))
        self.assertEqual([host.connected() for _ in range(3)], [True, True, False])
        self.assertEqual(self.told, [True])
        host.disconnected()
        host.disconnected()
        self.assertEqual((self.told, host.sessions), ([True, False], 0))

    def test_no_limit(self) -> None:
        host = self.host(self.plan("0"))
        self.assertTrue(all(host.connected() for _ in range(1000)))
        host.disconnected()
        self.assertEqual(self.told, [])

    def test_share(self) -> None:
        """HOUSE 3: each of several processes gets its part."""
        self.process.share = lambda limit: -(-limit // 2)
        self.assertEqual(self.host(self.plan("7")).limit, 4)

    def test_raised(self) -> None:
        """MA-5: ports that rested accept again when a reload makes room."""
        host = self.host(self.plan("2"))
        host.connected(), host.connected()
        self.adopt(host, "5")
        self.assertEqual(self.told, [True, False])
        host.disconnected()
        self.assertEqual(self.told, [True, False])

    def test_lowered(self) -> None:
        """MA-5: those that are there may stay, and there is room when enough have gone."""
        host = self.host(self.plan("5"))
        for _ in range(4):
            host.connected()
        self.adopt(host, "2")
        self.assertEqual((self.told, host.connected()), ([True], False))
        for _ in range(2):
            host.disconnected()
        self.assertEqual(self.told, [True])
        host.disconnected()
        self.assertEqual(self.told, [True, False])

    def test_limit_removed(self) -> None:
        host = self.host(self.plan("1"))
        host.connected()
        self.adopt(host, "0")
        self.assertEqual((self.told, host.connected()), ([True, False], True))

    def test_watched(self) -> None:
        """Whoever counts for all processes hears what the ports hear, once, and after a service of that name came
        again."""
        heard: list[tuple[str, bool]] = []
        fullness = Fullness(lambda name, yes: heard.append((name, yes)))
        host = self.host(self.plan("1"))
        for _ in range(2):
            fullness.watch({"25/inet": host, "other/unix": self._without_ports()})
        host.connected()
        self.assertEqual((heard, self.told), ([("25/inet", True)], [True]))
        fullness.forget("25/inet")
        again = self.host(self.plan("1"))
        fullness.watch({"25/inet": again})
        again.connected()
        self.assertEqual(len(heard), 2)

    def _without_ports(self) -> ServiceHost:
        host = self.host(self.plan("1"))
        host.full = None
        return host


class Views(HostCase):
    """MX-3, MA-7."""

    def setUp(self) -> None:
        super().setUp()
        main = "smtpd_timeout = ${stress?{10}:{300}}s\nmail_name = Old\n"
        self.plan = plan_of(self, main, "25 inet n - n - - smtpd -o syslog_name=own\n")
        self.made = self.host(self.plan)

    def test_stress(self) -> None:
        """It holds over a reload, and ends."""
        self.assertEqual(self.made.parameter("smtpd_timeout"), "300s")
        self.made.set_stress(True)
        self.assertEqual(self.made.parameter("smtpd_timeout"), "10s")
        self.made.adopt(self.plan, self.made.definition)
        self.assertEqual(self.made.parameter("smtpd_timeout"), "10s")
        self.made.set_stress(False)
        self.assertEqual(self.made.parameter("smtpd_timeout"), "300s")

    def test_reload(self) -> None:
        """MA-5: who has a group of the old snapshot in hand keeps it."""
        before = self.made.settings(CommonSettings)
        plan = plan_of(self, "mail_name = New\n", "25 inet n - n - - smtpd\n")
        self.made.adopt(plan, named(plan, "25"))
        self.assertEqual((before.mail_name, self.made.settings(CommonSettings).mail_name), ("Old", "New"))
        self.assertEqual(self.made.expand("$mail_name"), "New")
        self.assertIsNone(self.made.parameter("no_such_parameter"))

    def test_tables(self) -> None:
        """Opened on first use, others after a reload."""
        first = self.made.tables
        self.assertIs(self.made.tables, first)
        self.made.adopt(self.plan, self.made.definition)
        self.assertIsNot(self.made.tables, first)

    def test_log(self) -> None:
        """MX-3: the name is the service's own."""
        self.assertEqual(self.made.log.name, "own/smtpd")


class Background(HostCase):
    """Work that nobody waits for: what goes wrong is logged, and stop waits for it."""

    def setUp(self) -> None:
        super().setUp()
        self.made = self.host(plan_of(self, "", limited("1")))

    def test_done(self) -> None:
        async def work() -> None:
            """Nothing."""

        self.made.background(work(), "work")
        self.made.background(succeed(None), "work")
        self.assertEqual((self.process.work, self.lines.lines), (set(), []))

    def test_waits(self) -> None:
        waiting: Deferred[None] = Deferred()
        self.made.background(waiting, "work")
        self.assertEqual(self.process.work, {waiting})
        waiting.callback(None)
        self.assertEqual((self.process.work, self.lines.lines), (set(), []))

    def test_fails(self) -> None:
        """At once, or later."""
        self.made.background(fail(ValueError("now")), "first")
        waiting: Deferred[None] = Deferred()
        self.made.background(waiting, "second")
        waiting.errback(ValueError("then"))
        self.assertEqual(
            [line.split(" (")[0] for line in self.lines.lines],
            ["error: first: ValueError: now", "error: second: ValueError: then"],
        )
        self.assertEqual(self.process.work, set())


class Shared(HostCase):
    """What all services of a process share."""

    def test_lines(self) -> None:
        """LG-17: one write for all lines of a turn."""
        flushed: list[int] = []
        self.patch(self.lines, "flush", lambda: flushed.append(len(self.lines.lines)))
        log = self.process.log("postfix/smtpd")
        log.info("one")
        log.info("two")
        self.assertEqual(flushed, [])
        self.clock.advance(0)
        log.info("three")
        self.clock.advance(0)
        self.assertEqual(flushed, [2, 3])

    def test_secret(self) -> None:
        """HOUSE 3: read with our own rights, or by who has others."""
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(b"key")
        self.process.threads = cast(Any, InstantThreads())
        self.assertEqual(self.successResultOf(self.process.secret(path)), b"key")
        self.failureResultOf(self.process.secret(path + ".missing"), OSError)
        other = Process(self.clock, cast(Any, self.lines), lambda path: succeed(b"by root"))
        self.assertEqual(self.successResultOf(other.secret(os.devnull)), b"by root")

    def test_random(self) -> None:
        made = SystemRandom()
        items = list(range(50))
        made.shuffle(items)
        self.assertEqual(sorted(items), list(range(50)))
        self.assertEqual((len(made.bytes(9)), made.randrange(1)), (9, 0))
        self.assertTrue(0 <= made.random() < 1)
