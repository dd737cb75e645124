"""What is said of old defaults that made the difference, in a running Postfix's words (V-3, V-4)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.olddefaults import OldDefaults as Defaults
from pytwfix.accept.smtpd.restrictions import Parser
from pytwfix.contracts.rewriting import CLASS_RELAY
from pytwfix.settings.snapshot import Snapshot
from tests.kit.accepting import TableRewriter
from tests.kit.smtpclient import Smtp, smtpd_host

CLIENT = "unknown[198.51.100.7]"
SAID = "using backwards-compatible default setting "
NET = "198.51.100.0/24"
LATE = "smtpd_relay_before_recipient_restrictions"
FAR = "RCPT TO:<a@far.example>"
BASE = {
    "compatibility_level": "0",
    "mynetworks": "10.0.0.0/8",
    "smtpd_recipient_restrictions": "check_recipient_access inline:{far.example=OK}, reject_unauth_destination",
}


class OldDefaults(SynchronousTestCase):
    def said(self, *lines: str, **main: str) -> list[str]:
        """The lines that speak of old defaults, after MAIL FROM and `lines`."""
        host: Any = smtpd_host({**BASE, **main})
        host.peers.rewriter = TableRewriter({b"x.sub.example": CLASS_RELAY})
        smtp = Smtp(host)
        smtp.last("EHLO x.example", "MAIL FROM:<a@there.example>", *lines)
        return [line.partition(SAID)[2] for line in smtp.log if SAID in line]

    def test_relay(self) -> None:
        """V-4: mail that the new smtpd_relay_restrictions would have refused, and nothing else."""
        text = f'"smtpd_relay_restrictions = (empty)" to avoid "Relay access denied" error for recipient "a@far.example" from client "{CLIENT}"'  # noqa: E501
        self.assertEqual([text], self.said(FAR))
        self.assertEqual([], self.said(FAR, mynetworks=NET))
        self.assertEqual([], self.said(FAR, smtpd_relay_restrictions=""))
        self.assertEqual([], self.said(FAR, compatibility_level="3.6", smtpd_relay_restrictions=""))

    def test_order(self) -> None:
        """V-4: smtpd_recipient_restrictions refuses before smtpd_relay_restrictions are asked."""
        text = f'{LATE}=no to reject recipient "a@far.example" from client "{CLIENT}"'
        relay = "permit_mynetworks, defer_unauth_destination"
        for refusal in "reject", "defer", "reject_unauth_destination":
            early = {"smtpd_relay_restrictions": relay, "smtpd_recipient_restrictions": refusal}
            self.assertEqual([text], self.said(FAR, **early))
        self.assertEqual([], self.said(FAR, smtpd_relay_restrictions=relay))
        self.assertEqual([], self.said(FAR, compatibility_level="3.6", **early))

    def test_relay_domains(self) -> None:
        """V-4: what is below one of mydestination."""
        text = "relay_domains=$mydestination to accept mail for "
        below = "RCPT TO:<a@x.sub.example>"
        domain, address = f'{text}domain "x.sub.example"', f'{text}address "a@x.sub.example"'
        self.assertEqual([domain, domain, address], self.said(below))
        trusted = {"smtpd_recipient_restrictions": "permit_mynetworks,reject", "mynetworks": NET}
        self.assertEqual([address], self.said(below, **trusted))
        self.assertEqual([], self.said(below, relay_domains="sub.example", smtpd_relay_restrictions=""))

    def test_utf8(self) -> None:
        """V-4: addresses that smtputf8_enable would have made a matter of SMTPUTF8."""
        text = f'smtputf8_enable=no to accept non-ASCII recipient address "??@far.example" from {CLIENT}'
        self.assertIn(text, self.said("RCPT TO:<\u00fc@far.example>"))
        self.assertNotIn(text, self.said("RCPT TO:<\u00fc@far.example>", smtputf8_enable="no"))

    def test_networks(self) -> None:
        """V-4: a client that is trusted for its network alone, unless mynetworks says so itself."""
        host: Any = smtpd_host()
        client = SimpleNamespace(address="198.51.100.7", namaddr=CLIENT)
        state: Any = SimpleNamespace(host=host, client=client, config=SimpleNamespace(own_addresses={"192.0.2.25"}))
        nothing = Parser(host, {}, frozenset()).parse("")
        for main in ({"mynetworks": "0.0.0.0/0"}, {"mynetworks_style": "subnet"}, {"compatibility_level": "2"}, {}):
            Defaults(Snapshot({"compatibility_level": "0", **main}), nothing).trusted(state)
        text = f'mynetworks_style=subnet to permit request from client "{CLIENT}"'
        self.assertEqual([SAID + text], host.log.lines)
