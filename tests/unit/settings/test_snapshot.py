"""A service's view of the configuration (DN-1, DN-4, V-3, V-4), and the defaults of this machine."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.settings import compatibility, machine
from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.snapshot import Snapshot


class TestSnapshot(SynchronousTestCase):
    def test_order(self) -> None:
        """DN-4: default, main.cf, stress, -o; each may mention the others."""
        main = {"mail_name": "Main", "mydestination": "$mydomain", "mydomain": "d.example", "stress": ""}
        plain = Snapshot(main)
        self.assertEqual(plain.expand("$mail_name $relayhost|"), "Main |")
        self.assertEqual(plain.get("smtpd_timeout"), "${stress?{10}:{300}}s")
        self.assertEqual(plain.expand("$smtpd_timeout"), "300s")
        view = plain.with_service("10025", "smtpd", {"mail_name": "Own $service_name", "mydomain": "o.example"}, True)
        self.assertEqual(view.expand("$mail_name $process_name"), "Own 10025 smtpd")
        self.assertEqual(view.group(CommonSettings).mydestination, "o.example")
        self.assertEqual(view.expand("$smtpd_timeout"), "10s")
        self.assertEqual(plain.with_service("a", "smtpd", {"stress": ""}, True).expand("$smtpd_timeout"), "300s")

    def test_unknown(self) -> None:
        """A name that nobody knows: None, and empty text."""
        self.assertIs(Snapshot({}).get("nosuch"), None)
        self.assertEqual(Snapshot({}).expand("<$nosuch>"), "<>")
        self.assertEqual(Snapshot({}).expand("$process_id"), str(os.getpid()))

    def test_group_is_made_once(self) -> None:
        """Sessions ask often."""
        snapshot = Snapshot({})
        self.assertIs(snapshot.group(CommonSettings), snapshot.group(CommonSettings))

    def test_errors(self) -> None:
        """A bad macro is an error of the configuration."""
        self.assertRaises(SettingsError, Snapshot({"a": "$a"}).expand, "$a")

    def test_transports(self) -> None:
        """DN-1: names of services, their defaults and their bounds."""
        snapshot = Snapshot(
            {
                "relay_destination_concurrency_limit": "7",
                "default_destination_recipient_limit": "9",
                "policy-spf_time_limit": "2m",
                "relay_delivery_slot_discount": "101",
                "relay_destination_concurrency_positive_feedback": "1/concurrency",
            }
        )
        self.assertEqual(snapshot.transport_int("relay", "destination_concurrency_limit"), 7)
        self.assertEqual(snapshot.transport_int("smtp", "destination_concurrency_limit"), 20)
        self.assertEqual(snapshot.transport_int("smtp", "destination_recipient_limit"), 9)
        self.assertEqual(snapshot.transport_int("local", "destination_recipient_limit"), 1)
        self.assertEqual(snapshot.transport_int("local", "destination_concurrency_limit"), 2)
        self.assertEqual(snapshot.transport_time("policy-spf", "time_limit"), 120)
        self.assertEqual(snapshot.transport_time("x", "time_limit"), 1000)
        feedback = snapshot.transport_text("relay", "destination_concurrency_positive_feedback")
        self.assertEqual(feedback, "1/concurrency")
        self.assertRaises(SettingsError, snapshot.transport_int, "relay", "delivery_slot_discount")
        self.assertRaises(KeyError, snapshot.transport_int, "relay", "nosuch")


class TestCompatibility(SynchronousTestCase):
    def test_gates(self) -> None:
        """V-4: old defaults below a level, and who still has one."""
        names = ("smtputf8_enable", "mynetworks_style", "respectful_logging", "smtp_tls_security_level")
        for value, wanted in (
            ("0", ["no", "subnet", "no", ""]),
            ("1", ["yes", "subnet", "no", ""]),
            ("2", ["yes", "host", "no", ""]),
            ("3.6", ["yes", "host", "yes", ""]),
            ("3.11", ["yes", "host", "yes", "may"]),
        ):
            snapshot = Snapshot({"compatibility_level": value})
            self.assertEqual([snapshot.expand("$" + name) for name in names], wanted)
        old = Snapshot({"compatibility_level": "1", "mynetworks_style": "class"})
        self.assertEqual(compatibility.old_default(old, "respectful_logging"), "respectful_logging=no")
        self.assertIs(compatibility.old_default(old, "mynetworks_style"), None)
        self.assertIs(compatibility.old_default(old, "smtputf8_enable"), None)
        self.assertIs(compatibility.old_default(old, "biff"), None)
        self.assertFalse(compatibility.chroot_default(old))
        self.assertTrue(compatibility.chroot_default(Snapshot({})))

    def test_malformed(self) -> None:
        """V-3: a level that is none."""
        self.assertRaises(SettingsError, compatibility.below, Snapshot({"compatibility_level": "3."}), "1")


class TestMachine(SynchronousTestCase):
    def test_names(self) -> None:
        """PR-2: myhostname and mydomain depend on each other and on the kernel."""
        self.patch(os, "uname", lambda: os.uname_result(("Linux", "host", "1", "1", "x")))
        self.assertEqual(Snapshot({}).expand("$myhostname $mydomain"), "host.localdomain localdomain")
        self.assertEqual(Snapshot({"mydomain": "d.example"}).expand("$myhostname"), "host.d.example")
        self.assertEqual(Snapshot({"myhostname": "a.b.example"}).expand("$mydomain"), "b.example")
        self.assertEqual(Snapshot({"myhostname": ""}).expand("$mydomain"), "localdomain")
        self.patch(os, "uname", lambda: os.uname_result(("Linux", "a.example", "1", "1", "x")))
        self.assertEqual(Snapshot({}).expand("$myhostname $mydomain"), "a.example example")

    def test_networks(self) -> None:
        """LK-9: by style, interfaces and protocols."""
        found = [
            (2, bytes((127, 0, 0, 1)), 8),
            (2, bytes((10, 1, 2, 3)), 24),
            (10, bytes(15) + b"\1", 128),
            (10, b"\x20\x01\x0d\xb8" + bytes(11) + b"\5", 64),
        ]
        self.patch(machine, "interfaces", lambda: found)
        for values, wanted in (
            ({"mynetworks_style": "host"}, "127.0.0.1/32 10.1.2.3/32 [::1]/128 [2001:db8::5]/128"),
            ({"mynetworks_style": "subnet"}, "127.0.0.0/8 10.1.2.0/24 [::1]/128 [2001:db8::]/64"),
            ({"mynetworks_style": "class", "inet_protocols": "ipv4"}, "127.0.0.0/8 10.0.0.0/8"),
            ({"mynetworks_style": "host", "inet_interfaces": "loopback-only"}, "127.0.0.1/32 [::1]/128"),
            ({"mynetworks_style": "host", "inet_interfaces": "10.1.2.3"}, "10.1.2.3/32"),
        ):
            self.assertEqual(Snapshot(values).expand("$mynetworks"), wanted)

    def test_kernel(self) -> None:
        """The kernel tells of its loopback address."""
        self.assertIn(bytes((127, 0, 0, 1)), [packed for _family, packed, _length in machine.interfaces()])
