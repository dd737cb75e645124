"""What rules cost, beside a real Postfix: `make bench-rules`. Needs root, smtp-source and smtp-sink, and uses opendkim.

    python bench/rules.py [--mails 2000] [--repeat 3]

First name service: mails from a client that is new each time, by its address, with a PTR question, one for its address,
one for the sender's domain and four to DNSBLs, against a name server on this machine; the same without them; then all
mails from one client. The difference of the CPU times, over the questions, is what a look-up costs. Then the relay
figures of bench.py again, with ten restrictions, four tables, header checks and a milter.
"""

from __future__ import annotations

import argparse
import os
import smtplib
import socket
import sys
from collections.abc import Iterator
from functools import partial

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from twisted.trial.unittest import SkipTest

from bench.bench import LOADS, RATES, interleaved, report, run
from bench.servers import SINK, SOURCE, Server
from tests.kit.mailsystem import INLINE, POSTFIX, RealPostfix
from tests.kit.nameserver import Zone
from tests.kit.opendkim import OpenDkim
from tests.kit.privatedns import PrivateDns

_LISTS = ("a.bl.example", "b.bl.example", "c.bl.example", "d.bl.example")
_QUESTIONS = 7  # PTR, its address, the sender's domain, four lists
_OPEN = {"mynetworks": "192.0.2.1", "relay_domains": "relay.invalid", "smtpd_error_sleep_time": "0"}
_ASKING = {
    "smtpd_client_restrictions": ", ".join(f"reject_rbl_client {one}" for one in _LISTS),
    "smtpd_sender_restrictions": "reject_unknown_sender_domain",
    "smtpd_peername_lookup": "yes",
}
_SILENT = {"smtpd_peername_lookup": "no"}
_RULES = {
    "smtpd_client_restrictions": "check_client_access cidr:@CONFIG@/clients, reject_unauth_pipelining",
    "smtpd_helo_restrictions": "reject_invalid_helo_hostname, check_helo_access regexp:@CONFIG@/helo",
    "smtpd_sender_restrictions": "reject_non_fqdn_sender, check_sender_access texthash:@CONFIG@/senders",
    "smtpd_recipient_restrictions": "reject_non_fqdn_recipient, permit_mynetworks, reject_unauth_destination, "
    "check_recipient_access pcre:@CONFIG@/recipients",
    "header_checks": "regexp:@CONFIG@/headers",
    "milter_default_action": "accept",
}
_TABLES = {
    "clients": "".join(f"198.51.{n}.0/24 REJECT\n" for n in range(100)),
    "helo": "".join(f"/^bad{n}\\.example$/ REJECT\n" for n in range(20)),
    "senders": "".join(f"bad{n}.example REJECT\n" for n in range(1000)),
    "recipients": "".join(f"/^bad{n}@/ REJECT\n" for n in range(20)),
    "headers": "".join(f"/^X-Bad{n}: yes/ REJECT\n" for n in range(20)),
}


def _zone(addresses: list[str]) -> Zone:
    zone: Zone = {("bench.invalid", "MX"): ["10 mx.bench.invalid."], ("bench.invalid", "A"): ["192.0.2.9"]}
    for address in addresses:
        reverse = ".".join(reversed(address.split(".")))
        name = f"host-{reverse.replace('.', '-')}.clients.example"
        zone[f"{reverse}.in-addr.arpa", "PTR"] = [f"{name}."]
        zone[name, "A"] = [address]
    return zone


def _addresses(mails: int, runs: int) -> list[str]:
    return [f"127.{20 + n // 60000}.{n // 240 % 250}.{1 + n % 240}" for n in range(mails * runs)]


class Asking(Server):
    """A server that sees a name server of ours."""

    def __init__(self, mode: str, dns: PrivateDns, **main: str) -> None:
        self._dns = dns
        super().__init__(mode, **main)

    def prepare(self) -> None:
        self.system.prefix = self._dns.prefix


def mail_from(server: Server, addresses: Iterator[str], mails: int) -> tuple[float]:
    """CPU milliseconds a mail."""
    server.quiet()
    before, cpu = server.relayed(), server.cpu()
    for _ in range(mails):
        with smtplib.SMTP(timeout=30, source_address=(next(addresses), 0)) as client:
            client.connect("127.0.0.1", server.port)
            client.ehlo("client.bench.invalid")
            client.sendmail("s@bench.invalid", ["user@relay.invalid"], b"Subject: x\r\n\r\nx\r\n")
    while server.relayed() - before < mails:
        server.quiet(1)
    server.quiet()
    return ((server.cpu() - cpu) / mails * 1000,)


def lookups(modes: list[str], mails: int, repeat: int) -> None:
    addresses = _addresses(mails, 2 * repeat * 2 * len(modes) + 2)
    dns = PrivateDns(_zone(addresses))
    ways = {"asks": _ASKING, "does not": _SILENT}
    new = iter(addresses)
    servers: list[Server] = []
    try:
        for mode in modes:
            for way, main in ways.items():
                asking = Asking(mode, dns, **_OPEN, **main)
                asking.name = f"{mode} {way}"
                servers.append(asking)
                mail_from(asking, iter([addresses[-1]] * 100), 100)
        for what, who in (("a new client each time", new), ("one client", iter(lambda: addresses[-1], ""))):
            figures = interleaved(servers, repeat, partial(mail_from, addresses=who, mails=mails))
            report(f"name service, {what}", ("CPU ms a mail",), figures)
            for mode in modes:
                values = figures[0]
                with_them, without = (sorted(values[f"{mode} {way}"])[repeat // 2] for way in ways)
                print(f"    {mode:10} {(with_them - without) / _QUESTIONS * 1000:10.1f} us a question")
    finally:
        for server in servers:
            server.close()
        dns.close()


class Ruled(Server):
    """With the rule set."""

    def prepare(self) -> None:
        for name, text in _TABLES.items():
            with open(f"{self.system.config}/{name}", "w", encoding="ascii") as file:
                file.write(text)


def ruled(modes: list[str], repeat: int) -> None:
    try:
        milter: OpenDkim | None = OpenDkim()
    except SkipTest as reason:
        print(f"no milter: {reason}")
        milter = None
    main = {**_RULES, **({"smtpd_milters": milter.verifier} if milter else {})}
    servers: list[Server] = []
    try:
        servers += [Ruled(mode, **main) for mode in modes]
        for server in servers:
            run(LOADS[1], 300, server)
        for load in LOADS[:2]:
            report(f"{load.name}, with rules", RATES, interleaved(servers, repeat, partial(run, load, load.mails // 2)))
    finally:
        for server in servers:
            server.close()
        if milter is not None:
            milter.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mails", type=int, default=1000, help="of one run with name service")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    if not SOURCE or not SINK or os.geteuid() != 0:
        print("this needs root, smtp-source and smtp-sink: make peers")
        return 0
    modes = [INLINE] if RealPostfix.missing() else [POSTFIX, INLINE]
    socket.setdefaulttimeout(60)
    lookups(modes, options.mails, options.repeat)
    ruled(modes, options.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
