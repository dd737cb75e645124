"""TLSRPT (RFC 8460; TL-10): mail to domains that want reports, and the reports, as the whole system sends them."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
from collections.abc import Mapping
from email import message_from_bytes, policy
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.integration.test_sts import DOMAINS, StsWorld
from tests.integration.world import WorldCase, in_each_mode
from tests.kit.nameserver import Zone
from tests.kit.opendkim import DOMAIN, OpenDkim
from tests.kit.sinks import Received
from tests.kit.waiting import wait_for

# domain: where its reports go
PLACES = {
    "good.example": "mailto:tls@elsewhere.example",
    "certificate.example": "mailto:tls@certificate.example",  # whose certificate is just what they are about
    "plain.example": "https://reports.example/tls",
}
_PERIOD = 4  # seconds


class ReportWorld(StsWorld):
    """Days are short here, and reports are sent at once."""

    def prepare(self) -> None:
        self.reports = self.listening("reports.example")
        self.signer = ""
        with contextlib.suppress(SkipTest):
            dkim = OpenDkim()
            self.closers.append(dkim.close)
            self.signer = dkim.signer
        super().prepare()

    def zone(self) -> Zone:
        zone = super().zone()
        del zone["_mta-sts.plain.example", "TXT"]
        for domain, place in PLACES.items():
            zone[f"_smtp._tls.{domain}", "TXT"] = [f'"v=TLSRPTv1; rua={place}"']
        zone["reports.example", "A"] = [self.reports.address[0]]
        return zone

    def main(self) -> Mapping[str, str]:
        main = {**super().main()}
        main["transport_maps"] += f", inline:{{ elsewhere.example=smtp:[127.0.0.1]:{self.sink.port} }}"
        return {
            **main, "pytwfix_tlsrpt": "yes", "pytwfix_tlsrpt_send": "yes", "pytwfix_tlsrpt_period": f"{_PERIOD}s",
            "pytwfix_tlsrpt_delay": "0", "pytwfix_tlsrpt_CAfile": self.authority,
            "pytwfix_tlsrpt_contact": f"tls@{DOMAIN}", "non_smtpd_milters": self.signer,
        }  # fmt: skip


@in_each_mode
class Reports(WorldCase):
    world_class = ReportWorld
    needs_root = True
    not_real = "Postfix hands what it counts to a collector"

    def report_world(self) -> ReportWorld:
        world = self.world
        assert isinstance(world, ReportWorld)
        return world

    def on_disk(self, domain: str) -> list[bytes]:
        found = []
        for place, _folders, names in os.walk(self.system.directory):
            if place.endswith("/tlsrpt"):
                for name in names:
                    if name.split("!")[1:2] == [domain] and name.endswith(".json"):
                        with open(f"{place}/{name}", "rb") as file:
                            found.append(file.read())
        return found

    def mailed(self, address: str) -> Received | None:
        world = self.report_world()
        for sink in (world.sink, world.tls_sink):
            for message in sink.messages:
                if address in "".join(message.recipients):
                    return message
        return None

    def report_in(self, message: Received, domain: str) -> Any:
        """The report that a mail brings; what else RFC 8460 section 5.3 wants of the mail is there too."""
        mail = message_from_bytes(message.content, policy=policy.default)
        self.assertEqual("", message.sender.strip("<>"))
        self.assertEqual(
            ("tls@signed.example", domain, "signed.example"),
            (mail["From"], mail["TLS-Report-Domain"], mail["TLS-Report-Submitter"]),
        )
        if self.report_world().signer:
            self.assertIn(f"d={DOMAIN};", mail["DKIM-Signature"])  # section 3
        self.assertEqual("tlsrpt", mail["Content-Type"].params["report-type"])
        _text, file = mail.iter_parts()
        self.assertEqual("application/tlsrpt+gzip", file.get_content_type())
        return json.loads(gzip.decompress(file.get_content()))

    def posted(self) -> list[Any]:
        return [json.loads(gzip.decompress(data)) for _kind, data in self.report_world().reports.posted]

    def says(self, report: Any, domain: str, kind: str, successes: int, result: str) -> None:
        """One session, to that domain, under that policy."""
        (found,) = report["policies"]
        self.assertEqual((kind, domain), (found["policy"]["policy-type"], found["policy"]["policy-domain"]))
        failures = 0 if successes else 1
        self.assertEqual([successes, failures], list(found["summary"].values()))
        details = [
            {
                "result-type": result, "sending-mta-ip": "127.0.0.1", "receiving-mx-hostname": DOMAINS[domain][2],
                "receiving-ip": "127.0.0.1", "failed-session-count": 1,
            }
        ]  # fmt: skip
        self.assertEqual(details if failures else [], found.get("failure-details", []))
        self.assertEqual("signed.example", report["report-id"].partition("@")[2])

    def test_reports(self) -> None:
        """One good session, one with a wrong certificate, one without STARTTLS: each domain hears of its own, by mail
        and by HTTPS, and one of them by its own server, whose certificate is still wrong."""
        world, mark = self.report_world(), self.system.mark()
        for domain in PLACES:
            world.send(f"user@{domain}")
        self.assertLogged(r"to=<user@good\.example>, .*status=sent", mark)
        self.assertLogged(
            r"to=<user@certificate\.example>, .*status=deferred \(Server certificate not verified\)", mark
        )
        self.assertLogged(r"to=<user@plain\.example>, .*status=sent", mark)
        first = wait_for(lambda: self.mailed("tls@elsewhere.example"), seconds=30)
        second = wait_for(lambda: self.mailed("tls@certificate.example"), seconds=30)
        (third,) = wait_for(self.posted, seconds=30)
        self.assertTrue(second.tls)
        name = "certificate-host-mismatch"
        for domain, report, kind, successes, result in (
            ("good.example", self.report_in(first, "good.example"), "sts", 1, ""),
            ("certificate.example", self.report_in(second, "certificate.example"), "sts", 0, name),
            ("plain.example", third, "no-policy-found", 0, "starttls-not-supported"),
        ):
            self.says(report, domain, kind, successes, result)
            self.assertEqual([report], [json.loads(text) for text in self.on_disk(domain)])
        self.assertEqual(["POST /tls HTTP/1.1 reports.example"], world.reports.asked)
        self.assertLogged(r"TLS report for plain\.example: posted to https://reports\.example/tls", mark)
        self.assertLogged(r"TLS report for good\.example: sessions=1, failed=0", mark)
