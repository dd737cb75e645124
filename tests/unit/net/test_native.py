"""Names from the system (SD-46, SM-3): confirmation, failures, times, and what happens when nss hangs."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.dns import Address, ClientNames, NoSuchName, TryAgain
from pytwfix.net.native import Native, SystemNames
from tests.kit.host import InstantThreads

NO_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
AGAIN = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


class Hosts(SystemNames):
    """A hosts file: names by address, addresses by name; an exception in place of either is raised."""

    def __init__(self, names: dict[str, Any], addresses: dict[str, Any]) -> None:
        self.names = names
        self.addresses = addresses
        self.calls = 0
        self.families: list[int] = []

    def name_of(self, address: str) -> str:  # type: ignore[override]
        self.calls += 1
        found = self.names.get(address, NO_NAME)
        if isinstance(found, Exception):
            raise found
        name: str = found
        return name

    def addresses_of(self, name: str, family: int = 0) -> list[Address]:  # type: ignore[override]
        self.calls += 1
        self.families.append(family)
        found = self.addresses.get(name, NO_NAME)
        if isinstance(found, Exception):
            raise found
        return [Address(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in found]


class HeldThreads:
    """IThreads whose calls are made when the test says so."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def run(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.calls.append(lambda: done.callback(function(*args)))
        return done


class TestNative(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.hosts = Hosts(
            {
                "192.0.2.1": "a.example",
                "192.0.2.2": "liar.example",
                "192.0.2.3": "gone.example",
                "192.0.2.4": "slow.example",
                "192.0.2.5": AGAIN,
                "192.0.2.6": "bad..name",
                "192.0.2.7": "10.0.0.1",
                "2001:DB8:0::1": "a.example",
            },
            {
                "a.example": ["192.0.2.1", "2001:db8::1"],
                "liar.example": ["192.0.2.99"],
                "slow.example": AGAIN,
                "none.example": [],
            },
        )
        self.native = Native(self.clock, InstantThreads(), self.clock.seconds, system=self.hosts)

    def client(self, address: str) -> ClientNames:
        names: ClientNames = self.successResultOf(self.native.client(address))
        return names

    def test_confirmed(self) -> None:
        """SD-46: a name that leads back, whatever the spelling of the address."""
        self.assertEqual(self.client("192.0.2.1"), ClientNames("a.example", "a.example", 2, 2))
        self.assertEqual(self.client("2001:DB8:0::1").name, "a.example")
        self.assertEqual(self.hosts.families, [socket.AF_INET, socket.AF_INET6])  # no address of another would count

    def test_unconfirmed(self) -> None:
        """SD-46, LG-5: a name that does not lead back is a reverse name only, with a warning."""
        text = "hostname liar.example does not resolve to address 192.0.2.2"
        self.assertEqual(self.client("192.0.2.2"), ClientNames("unknown", "liar.example", 5, 2, text))
        text = "hostname gone.example does not resolve to address 192.0.2.3: Name or service not known"
        self.assertEqual(self.client("192.0.2.3"), ClientNames("unknown", "gone.example", 5, 2, text))
        text = "hostname slow.example does not resolve to address 192.0.2.4: Temporary failure in name resolution"
        self.assertEqual(self.client("192.0.2.4"), ClientNames("unknown", "slow.example", 4, 2, text))

    def test_none(self) -> None:
        """SD-46: no name, for now or at all; a name that is no host name is none."""
        self.assertEqual(self.client("192.0.2.5"), ClientNames("unknown", "unknown", 4, 4))
        for address in ("192.0.2.6", "192.0.2.7", "192.0.2.8"):
            self.assertEqual(self.client(address), ClientNames("unknown", "unknown", 5, 5))

    def test_addresses(self) -> None:
        """SM-3: smtp_host_lookup = native."""
        answer = self.successResultOf(self.native.addresses("a.example"))
        self.assertEqual(answer.records, (Address(2, "192.0.2.1"), Address(socket.AF_INET6, "2001:db8::1")))
        error = self.failureResultOf(self.native.addresses("gone.example"), NoSuchName).value
        self.assertEqual(error.text, "Name or service not known")
        self.failureResultOf(self.native.addresses("slow.example"), TryAgain)
        self.failureResultOf(self.native.addresses("none.example"), NoSuchName)

    def test_kept(self) -> None:
        """Answers are kept for a minute, failures for seconds."""
        for _ in range(3):
            self.client("192.0.2.1")
            self.client("192.0.2.8")
        self.assertEqual(self.hosts.calls, 3)
        self.clock.advance(5)
        self.client("192.0.2.1")
        self.client("192.0.2.8")
        self.assertEqual(self.hosts.calls, 4)
        self.clock.advance(56)
        self.client("192.0.2.1")
        self.assertEqual(self.hosts.calls, 6)
        self.native.reload()
        self.client("192.0.2.1")
        self.assertEqual(self.hosts.calls, 8)

    def test_system(self) -> None:
        """The real calls: this machine's own loopback, no network."""
        self.assertEqual(SystemNames.addresses_of("127.0.0.1"), [Address(2, "127.0.0.1")])


class TestHanging(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.threads = HeldThreads()
        self.hosts = Hosts({"192.0.2.1": "a.example"}, {"a.example": ["192.0.2.1"]})
        self.native = Native(self.clock, self.threads, self.clock.seconds, timeout=10, at_once=1, system=self.hosts)

    def test_shared(self) -> None:
        """Equal questions are one call."""
        calls = [self.native.client("192.0.2.1") for _ in range(3)]
        self.assertEqual(len(self.threads.calls), 1)
        self.threads.calls.pop()()
        self.assertEqual([self.successResultOf(call).name for call in calls], ["a.example"] * 3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_timeout(self) -> None:
        """A call that hangs is given up, and those that wait for its thread with it; later ones find room again."""
        first = self.native.client("192.0.2.1")
        second = self.native.addresses("a.example")
        self.clock.advance(9)
        third = self.native.addresses("b.example")
        self.clock.advance(1)
        self.assertEqual(self.successResultOf(first), ClientNames("unknown", "unknown", 4, 4))
        error = self.failureResultOf(second, TryAgain).value
        self.assertEqual(error.text, "timed out")
        self.assertEqual(len(self.threads.calls), 1)
        self.threads.calls.pop()()
        self.assertNoResult(third)
        self.threads.calls.pop()()
        self.failureResultOf(third, NoSuchName)
        self.assertEqual(self.successResultOf(self.native.client("192.0.2.1")).name, "a.example")
        self.assertEqual(self.threads.calls, [])
