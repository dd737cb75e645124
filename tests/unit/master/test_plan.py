"""master/plan.py, master/placement.py and master/sockets.py."""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master import placement, sockets
from pytwfix.master.plan import Plan, old_chroots, read_plan
from pytwfix.master.startup import complaints
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.mastercf import Service

MASTER = """\
smtp inet n - n - - smtpd
127.0.0.1:11025 inet n - n - 7 smtpd -o stress_test=1
cleanup unix n - n - 0 cleanup
policy unix - n n - 3 spawn user=nobody argv=/bin/cat
relay unix - - n - - smtp -o syslog_name=postfix/relay
"""


def plan_of(test: SynchronousTestCase, main: str = "", master: str = MASTER) -> Plan:
    directory = test.mktemp()
    os.makedirs(directory)
    for name, text in (("main.cf", main), ("master.cf", master)):
        with open(f"{directory}/{name}", "w") as file:
            file.write(text)
    return read_plan(directory)


def named(plan: Plan, name: str) -> Service:
    return next(service for service in plan.services if service.name == name)


class TestPlan(SynchronousTestCase):
    def test_limits(self) -> None:
        """MX-2: `-` is default_process_limit, 0 is no limit."""
        plan = plan_of(self, "default_process_limit = 42")
        limits = [plan.limit(named(plan, name)) for name in ("smtp", "127.0.0.1:11025", "cleanup")]
        self.assertEqual([42, 7, 0], limits)

    def test_view(self) -> None:
        """MX-3, MA-7: a service sees its -o options, its names, and stress."""
        plan = plan_of(self, "smtpd_timeout = ${stress?{10}:{300}}s")
        relay = plan.view(named(plan, "relay"))
        self.assertEqual(("postfix/relay", "relay"), (relay.expand("$syslog_name"), relay.expand("$service_name")))
        smtp = named(plan, "smtp")
        self.assertEqual("300s", plan.view(smtp).expand("$smtpd_timeout"))
        self.assertEqual("10s", plan.view(smtp, stress=True).expand("$smtpd_timeout"))

    def test_stress(self) -> None:
        """DN-4, MA-3: main.cf's own stress counts for services that are not told of theirs; -o beats all."""
        last = "25 inet n - n - - smtpd -o stress=x -o stress=mine\n"
        master = f"smtp inet n - n - - smtpd\npickup unix n - n - - pickup\n{last}"
        plan = plan_of(self, "stress = main", master)
        for name, calm, stressed in (("smtp", "", "yes"), ("25", "mine", "mine"), ("pickup", "main", "yes")):
            views = [plan.view(named(plan, name), stress) for stress in (False, True)]
            self.assertEqual([view.expand("$stress") for view in views], [calm, stressed])

    def test_old_chroot(self) -> None:
        """V-3, V-4, MX-4: a running Postfix's words, for each service that does not state it."""
        master = "x unix - - - - - smtp\ny unix - - y - - smtp\n# c\nz inet n - - - - smtpd\n"
        plan = plan_of(self, "compatibility_level = 0", master)
        text = f"{plan.directory}/master.cf: line {{}}: using backwards-compatible default setting chroot=y"
        self.assertEqual(old_chroots(plan), [text.format(1), text.format(4)])
        self.assertEqual(old_chroots(plan_of(self, "compatibility_level = 1", master)), [])

    def test_repeated(self) -> None:
        """MX-2: of the same name and type the last counts, and a running Postfix's words say so."""
        last = ("x unix n - n - - lmtp", "y inet n - n - - smtpd", "[::1]:25 inet n - n - - smtpd")
        lines = ("x unix - - n - - smtp", *last)
        plan = plan_of(self, master="".join(f"{line}\n" for line in (*lines, *last)))
        self.assertEqual([one.command for one in plan.services if one.name == "x" and one.type == "unix"], ["lmtp"])
        self.assertEqual(
            [text for text in complaints(plan) if "duplicate" in text],
            [
                f'duplicate master.cf entry for service "{name}" ({where}) -- using the last entry'
                for name, where in (("x", "public/x"), ("y", "y"), ("[::1]:25", "[::1]:25"))
            ],
        )

    def test_disabled(self) -> None:
        """MA-9: master_service_disable in all its forms."""
        for text, left in (
            ("inet", ["cleanup", "policy", "relay"]),
            ("smtp/inet", ["127.0.0.1:11025", "cleanup", "policy", "relay"]),
            ("relay.unix, policy/unix", ["smtp", "127.0.0.1:11025", "cleanup"]),
            ("nosuch/inet", ["smtp", "127.0.0.1:11025", "cleanup", "policy", "relay"]),
        ):
            plan = plan_of(self, f"master_service_disable = {text}")
            self.assertEqual(left, [service.name for service in plan.services], text)

    def test_wrong(self) -> None:
        """MX-1: a line that makes no sense is fatal, with file and line."""
        error = self.assertRaises(SettingsError, plan_of, self, "", "\nsmtp inet n - n - x smtpd\n")
        self.assertIn("master.cf: line 2: ", str(error))


class TestPlacement(SynchronousTestCase):
    def test_network_and_keeper_apart(self) -> None:
        """What talks to the network never runs beside the keeper's socket."""
        network = {program for program, places in placement.PLACES.items() if placement.WORKER in places}
        keeper = {program for program, places in placement.PLACES.items() if placement.AGENTS in places}
        self.assertEqual({"cleanup", "trivial-rewrite"}, network & keeper)
        self.assertEqual({"local", "virtual", "pipe", "spawn"}, keeper - network)

    def test_known(self) -> None:
        self.assertTrue(placement.known("smtpd") and placement.known("proxymap"))
        self.assertFalse(placement.known("nosuch"))


class TestSockets(SynchronousTestCase):
    def test_places(self) -> None:
        """MA-11, MX-2: hosts and ports by inet_interfaces, sockets on disk for what others may talk to."""
        plan = plan_of(self, "queue_directory=/q\ninet_interfaces=127.0.0.1\ninet_protocols=ipv4")
        found = {(place.key, place.family, place.address, place.port) for place in sockets.places(plan)}
        self.assertEqual(
            {
                ("smtp/inet", socket.AF_INET, "127.0.0.1", 25),
                ("127.0.0.1:11025/inet", socket.AF_INET, "127.0.0.1", 11025),
                ("policy/unix", socket.AF_UNIX, "/q/private/policy", 0),
            },
            found,
        )

    def test_all_interfaces(self) -> None:
        plan = plan_of(self, "inet_protocols=ipv4", "2525 inet n - n - - smtpd\n:587 inet n - n - - smtpd")
        self.assertEqual([("", 2525), ("", 587)], [(one.address, one.port) for one in sockets.places(plan)])

    def test_unknown_port(self) -> None:
        plan = plan_of(self, "", "nosuchport inet n - n - - smtpd")
        self.assertIn("unknown service", str(self.assertRaises(SettingsError, sockets.places, plan)))

    def test_bind_unix(self) -> None:
        """A socket left behind is replaced; a file is not."""
        path = f"/tmp/pytwfix-test-{os.getpid()}"
        self.addCleanup(os.unlink, path)
        place = sockets.Place("x/unix", socket.AF_UNIX, path)
        sockets.bind(place).close()
        sockets.bind(place).close()
        self.assertEqual(0o666, os.stat(path).st_mode & 0o777)
        os.unlink(path)
        with open(path, "w"):
            pass
        self.assertIn("Address already in use", str(self.assertRaises(SettingsError, sockets.bind, place)))

    def test_taken_port(self) -> None:
        """All or none: when a port is taken, the others are given back."""
        other = sockets.bind(sockets.Place("x/inet", socket.AF_INET, "127.0.0.1", 0))
        self.addCleanup(other.close)
        port = other.getsockname()[1]
        plan = plan_of(self, "inet_protocols=ipv4", f"127.0.0.1:{port} inet n - n - - smtpd")
        error = self.assertRaises(SettingsError, sockets.bind_all, plan)
        self.assertEqual(f"bind 127.0.0.1 port {port}: Address already in use", str(error))
