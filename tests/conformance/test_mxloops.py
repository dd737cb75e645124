"""Destinations whose servers are this machine, beside a real Postfix (SM-4, OB-4; RFC 5321 section 5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance.beside import Lines, beside, differences, shown
from tests.conformance.differential_mail.compare import send
from tests.conformance.differential_mail.mails import Mail
from tests.kit.mailsystem import make
from tests.kit.nameserver import Zone
from tests.kit.privatedns import PrivateDns
from tests.kit.waiting import free_port

# 127.0.0.1 is this machine, 127.0.0.10 its proxy; nobody listens at the others.
_ADDRESSES = {
    "mx.test": "1", "alias.test": "1", "proxy": "10", "other": "11", "other2": "12", "mx2.test": "13", "host": "1",
}  # fmt: skip
_SERVERS = {
    "alone": ["10 mx.test"], "second": ["10 other", "20 mx.test", "30 other2"], "best": ["10 mx.test", "20 other"],
    "byaddress": ["10 alias.test"], "byproxy": ["10 proxy"], "equal": ["10 other", "10 mx.test"],
    "primarygone": ["10 gone", "20 mx.test"], "proxysecond": ["10 other", "20 proxy"],
    "equalsecond": ["5 other", "10 alias.test", "10 other2"], "likeourname": ["10 mx2.test"],
}  # fmt: skip
ZONE: Zone = {
    **{(f"{name}.example", "A"): [f"127.0.0.{number}"] for name, number in _ADDRESSES.items()},
    **{(f"{name}.example", "MX"): [f"{text}.example." for text in texts] for name, texts in _SERVERS.items()},
}
TO = [*(f"u@{name}.example" for name in (*_SERVERS, "host")), "u@[127.0.0.11]"]
MAIN = {
    "mydestination": "test.example", "myhostname": "mx.test.example", "proxy_interfaces": "127.0.0.10",
    "smtp_dns_support_level": "enabled", "smtp_host_lookup": "dns", "smtp_address_preference": "ipv4",
    "smtp_connect_timeout": "2s", "notify_classes": "", "smtp_randomize_addresses": "no",
}  # fmt: skip


class LoopWorld:
    """One mail for each destination, one after the other."""

    more: Mapping[str, str] = {}

    def __init__(self, kind: str) -> None:
        self._dns = PrivateDns(ZONE)
        self._port = free_port()
        self._system = make(kind, {**MAIN, **self.more}, [f"127.0.0.1:{self._port} inet n - n - - smtpd"])
        self._system.prefix = self._dns.prefix
        self._system.start(self._port)

    def run(self) -> Lines:
        found: Lines = {}
        for to in TO:
            send(self._port, Mail("from@there.example", "", [to], "", "Subject: x\n\nx\n", "EHLO"))
            line = self._system.wait_log(rf"to=<{re.escape(to)}>, ")
            found[to] = [re.sub(r".*(relay=\S+).*?(dsn=.*)", r"\1 \2", line)]
        return found

    def close(self) -> None:
        self._system.remove()
        self._dns.close()


class FallbackWorld(LoopWorld):
    more = {"smtp_fallback_relay": "[127.0.0.12]"}


class RelayWorld(LoopWorld):
    more = {
        "relayhost": "alone.example", "relay_destination_concurrency_failed_cohort_limit": "0",
        "smtp_destination_concurrency_failed_cohort_limit": "0",
    }  # fmt: skip


class TestLoops(SynchronousTestCase):
    timeout = 120

    def compare(self, kind: type[LoopWorld]) -> Lines:
        theirs, ours = beside(kind)
        different = differences(theirs, ours)
        self.assertEqual({}, different, shown(different))
        return ours

    def test_loops(self) -> None:
        """SM-4: only better servers are asked; without one the mail is returned, or waits for a primary."""
        found = self.compare(LoopWorld)
        self.assertIn("loops back to myself", found["u@alone.example"][0])

    def test_fallback(self) -> None:
        """SM-4: no fall-back relay for a destination that this machine is a server of."""
        found = self.compare(FallbackWorld)
        self.assertIn("[127.0.0.12]", found["u@likeourname.example"][0])

    def test_relayhost(self) -> None:
        """TR-3: a relayhost that is this machine is a slip: the mail waits."""
        found = self.compare(RelayWorld)
        self.assertIn("dsn=4.3.5, status=deferred", found["u@alone.example"][0])
