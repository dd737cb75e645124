"""What log readers count is what was sent: a mixed load of known parts, then pflogsumm, fail2ban's filters and
mailgraph over the log (LG-1 to LG-11, LG-16)."""

from __future__ import annotations

import base64
import os
import re
import smtplib
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.integration.world import World, WorldCase, in_each_mode, new_token
from tests.kit import logreaders
from tests.kit.dovecot import Dovecot
from tests.kit.mailsystem import listener
from tests.kit.waiting import free_port, wait_for

_ACCESS = "{203.0.113.66=REJECT banned},{203.0.113.67=450 4.7.1 slow down}"
_WOULD = "inline:{w@x.example=reject}"
SENT, LOCAL, DOWN, TEMPORARY, BOUNCED, FORWARDED = 12, 5, 3, 1, 4, 2
RELAYING, UNKNOWN, WOULD, LOGINS = 6, 3, 2, 3
# One each is warned of, measured, held, discarded, refused for its header; what an alias forwards is a mail more.
RECEIVED = SENT + 5 + LOCAL + 2 * FORWARDED + DOWN + TEMPORARY + BOUNCED
REFUSED = RELAYING + UNKNOWN + 3 + 4 + 1


class LogWorld(World):
    """A port of our own clients, and one of strangers who come by XCLIENT."""

    def prepare(self) -> None:
        self.dovecot = Dovecot()
        self.closers.append(self.dovecot.close)
        self.strangers, self.down = free_port(), free_port()
        self.loaded = False

    def main(self) -> Mapping[str, str]:
        checks = "{/^Subject: hold/ HOLD held},{/^Subject: warn/ WARN warned},{/^Subject: no/ REJECT not this}"
        return {
            "local_recipient_maps": "inline:{games=x}", "mail_spool_directory": "@DIR@/mbox/",
            "alias_maps": "inline:{fwd=out@sink.example}",
            "header_checks": f"regexp:{{{checks},{{/^Subject: disc/ DISCARD}}}}",
            "transport_maps": f"inline:{{down.example=smtp:[127.0.0.1]:{self.down}}}",
            "smtpd_sasl_path": self.dovecot.socket, "smtpd_error_sleep_time": "0", "notify_classes": "",
            "minimal_backoff_time": "300s", "queue_run_delay": "300s",
            "smtp_destination_concurrency_failed_cohort_limit": "0",
        }  # fmt: skip

    def services(self) -> Sequence[str]:
        return [
            listener(self.port, "local_recipient_maps = inline:{games=x,fwd=x}"),
            listener(
                self.strangers, "mynetworks = 192.0.2.1", "smtpd_hard_error_limit = 4", "smtpd_sasl_auth_enable = yes",
                "smtpd_authorized_xclient_hosts = 127.0.0.0/8, 203.0.113.0/24", "relay_domains_reject_code = 554",
                "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination",
                f"smtpd_recipient_restrictions = check_client_access inline:{{{_ACCESS}}}, "
                f"reject_non_fqdn_helo_hostname, warn_if_reject check_sender_access {_WOULD}",
            ),
        ]  # fmt: skip

    def furnish(self) -> None:
        os.mkdir(f"{self.system.directory}/mbox")
        os.chmod(f"{self.system.directory}/mbox", 0o1777)

    # The load.

    def load(self) -> None:
        """Once a world."""
        if self.loaded:
            return
        for number in range(SENT):
            self.send(f"u{number}@sink.example")
        self.send("u@sink.example", subject="warn of it")
        self.sized = self.send("size@sink.example", body="one\r\ntwo\r\n..\r\n" * 50)
        for _ in range(LOCAL):
            self.send("games@test.example")
        for _ in range(FORWARDED):
            self.send("fwd@test.example")
        for number in range(DOWN):
            self.send(f"u{number}@down.example")
        self.send("temp@sink.example")
        for number in range(BOUNCED):
            self.send(f"perm{number}@sink.example")
        self.send("u@sink.example", subject="hold it")
        self.send("u@sink.example", subject="discard it")
        assert self.refused("u@sink.example", subject="no")
        for number in range(RELAYING):
            self.stranger(f"203.0.113.{10 + number}", "x@far.example")
        for number in range(UNKNOWN):
            self.stranger("203.0.113.40", f"nobody{number}@test.example")
        self.stranger("203.0.113.66", "games@test.example")
        self.stranger("203.0.113.67", "games@test.example")
        self.stranger("203.0.113.52", "games@test.example", helo="nodots")
        for _ in range(WOULD):
            self.stranger("203.0.113.70", "games@test.example", sender="w@x.example")
        self.stranger("203.0.113.99", "nobody@test.example", times=5)  # too many errors
        for number in range(LOGINS):
            self.login(f"203.0.113.{80 + number}")
        self.loaded = True
        told = self.system.told
        wait_for(lambda: self.count("status=deferred") == DOWN + TEMPORARY or None, told)
        wait_for(lambda: self.count("status=bounced") == BOUNCED or None, told)
        wait_for(lambda: self.count(": removed") >= SENT + 2 + LOCAL + 2 * FORWARDED + 2 * BOUNCED or None, told)
        wait_for(lambda: self.count(" disconnect from ") == self.count(": connect from ") or None, told)

    def count(self, text: str) -> int:
        return sum(text in line for line in self.system.log().splitlines())

    def stranger(
        self, address: str, to: str, sender: str = "a@x.example", helo: str = "h.example", times: int = 1
    ) -> None:
        """One who names a recipient so often, and quits."""
        with smtplib.SMTP("127.0.0.1", self.strangers, "h.example", timeout=30) as client:
            client.ehlo()
            client.docmd("XCLIENT", f"ADDR={address} NAME=bad.example")
            client.ehlo(helo)
            client.docmd("MAIL", f"FROM:<{sender}>")
            try:
                for _ in range(times):
                    client.docmd("RCPT", f"TO:<{to}>")
            except smtplib.SMTPServerDisconnected:
                pass

    def login(self, address: str) -> None:
        """A wrong password."""
        words = base64.b64encode(f"\0{new_token()}@test.example\0wrong".encode()).decode()
        with smtplib.SMTP("127.0.0.1", self.strangers, "h.example", timeout=30) as client:
            client.ehlo()
            client.docmd("XCLIENT", f"ADDR={address} NAME=bad.example")
            client.ehlo()
            client.docmd("AUTH", f"PLAIN {words}")


@in_each_mode
class LogReaders(WorldCase):
    world_class = LogWorld
    world: LogWorld
    needs_root = True

    def setUp(self) -> None:
        super().setUp()
        self.world.load()

    def test_pflogsumm(self) -> None:
        """LG-3, LG-9, LG-10, LG-16: its totals are what was sent."""
        totals, report = logreaders.pflogsumm(self.system.maillog)
        wanted = {
            "received": RECEIVED, "delivered": SENT + 2 + LOCAL + FORWARDED + BOUNCED,  # notices are delivered too
            "forwarded": FORWARDED, "deferred": DOWN + TEMPORARY, "bounced": BOUNCED, "rejected": REFUSED,
            "reject warnings": WOULD + 1, "held": 1, "discarded": 1,
        }  # fmt: skip
        self.assertEqual(wanted, {name: totals.get(name) for name in wanted}, report[:3000])
        for text in ("Relay access denied", "User unknown in local recipient table", "Client host rejected: banned"):
            self.assertIn(text, report)
        self.assertNotIn("unsupported", report)

    def test_bytes(self) -> None:
        """LG-9: the size that is logged is the size that arrives, and pflogsumm's sum is the sum of them."""
        message = self.world.got(self.world.sized)
        ident = self.assertLogged(r"to=<size@sink\.example>").partition(": ")[2].partition(":")[0]
        size = int(self.assertLogged(rf"qmgr\[\d+\]: {ident}: from=").partition("size=")[2].partition(",")[0])
        self.assertEqual(len(message.content), size)
        sizes = dict(re.findall(r": (\w+): from=<.*>, size=(\d+), nrcpt", self.system.log()))
        sent = re.findall(r": (\w+): to=<.* status=sent \((?!forwarded)", self.system.log())
        totals, _report = logreaders.pflogsumm(self.system.maillog)
        self.assertEqual(sum(int(sizes[ident]) for ident in sent), totals["bytes delivered"])
        received = re.findall(r"smtpd\[\d+\]: (\w+): client=", self.system.log())
        self.assertEqual(sum(int(sizes.get(ident, 0)) for ident in received), totals["bytes received"])

    def test_fail2ban(self) -> None:
        """LG-3, LG-5: its own filters find who did it."""
        path = self.system.maillog
        relaying = [f"203.0.113.{10 + number}" for number in range(RELAYING)]
        others = ["203.0.113.40"] * UNKNOWN + ["203.0.113.66", "203.0.113.52"] + ["203.0.113.99"] * 5
        logins = [f"203.0.113.{80 + number}" for number in range(LOGINS)]
        self.assertEqual(["203.0.113.99"], logreaders.fail2ban(path, "errors"))
        self.assertEqual(logins, logreaders.fail2ban(path, "auth"))
        found = Counter(logreaders.fail2ban(path, "more"))
        del found["203.0.113.67"]  # put off, not refused: not every filter takes him
        self.assertEqual(Counter(relaying + others), found)
        self.assertLessEqual(set(logins) | set(relaying), set(logreaders.fail2ban(path, "aggressive")))

    def test_mailgraph(self) -> None:
        """LG-16: received, sent, bounced and rejected."""
        counts = logreaders.mailgraph(self.system.maillog)
        sent = SENT + 2 + FORWARDED + BOUNCED  # to other hosts
        wanted = {"sent": sent, "received": RECEIVED, "bounced": BOUNCED, "rejected": REFUSED + 1}  # DISCARD counts
        self.assertEqual(wanted, {name: counts.get(name, 0) for name in wanted})
