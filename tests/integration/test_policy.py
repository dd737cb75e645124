"""Policy services: one that does as it is told, postgrey, and policyd-spf by spawn (SD-40, SP-1)."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Mapping, Sequence

from tests.integration.world import World, WorldCase, in_each_mode, new_token
from tests.kit.mailsystem import POSTFIX, WORKERS2, listener
from tests.kit.policyservers import HANGUP, STALL, Postgrey, Request, ScriptedPolicy, policyd_spf
from tests.kit.privatedns import PrivateDns
from tests.kit.waiting import free_port, wait_for

_UNAVAILABLE = "451 4.3.5 <user@far.example>: Recipient address rejected: Server configuration problem"


class PolicyWorld(World):
    """Two services that do what the sender's name says, behind a port and a UNIX socket; one place where nobody is."""

    def prepare(self) -> None:
        self.policy = ScriptedPolicy(self.answer)
        self.closers.append(self.policy.stop)
        self.options, self.unix, self.dead, self.late = (free_port() for _ in range(4))

    def answer(self, request: Request) -> str:
        name = request["sender"].partition("@")[0]
        if name == "onceaway" and len(self.policy.of(request["sender"])) % 2:
            return HANGUP
        return {
            "stall": STALL, "away": HANGUP, "refused": "REJECT not you", "later": "DEFER_IF_PERMIT 4.7.1 wait",
            "marked": "PREPEND X-Policy: seen", "class": "permit_mynetworks, reject", "nonsense": "no_such_word",
            "empty": "",
        }.get(name, "DUNNO")  # fmt: skip

    def main(self) -> Mapping[str, str]:
        return {
            "smtpd_recipient_restrictions": f"check_policy_service inet:127.0.0.1:{self.policy.port}",
            "smtpd_policy_service_timeout": "1s", "smtpd_policy_service_retry_delay": "1s", "smtputf8_enable": "no",
        }  # fmt: skip

    def services(self) -> Sequence[str]:
        where = f"inet:127.0.0.1:{self.policy.port}"
        own = f"{{{where}, timeout=1s, try_limit=1, default_action=DUNNO, policy_context=mine}}"
        nobody = f"{{inet:127.0.0.1:{free_port()}, retry_delay=1s}}"
        unix = "check_policy_service unix:private/policy"
        data = f"check_policy_service {where}"
        return [
            listener(self.port),
            listener(self.options, f"smtpd_recipient_restrictions = check_policy_service {own}"),
            listener(self.unix, f"smtpd_recipient_restrictions = {unix}"),
            listener(self.dead, f"smtpd_recipient_restrictions = check_policy_service {nobody}"),
            listener(self.late, "smtpd_recipient_restrictions =", f"smtpd_data_restrictions = {data}",
                     f"smtpd_end_of_data_restrictions = {data}"),
        ]  # fmt: skip

    def ports(self) -> Sequence[int]:
        return [self.port, self.options, self.unix, self.dead, self.late]

    def by_unix(self) -> ScriptedPolicy:
        """The service behind private/policy."""
        made = ScriptedPolicy(self.answer, f"{self.system.queue}/private/policy")
        self.closers.append(made.stop)
        return made


@in_each_mode
class Policies(WorldCase):
    """A service that does as it is told."""

    world_class = PolicyWorld
    world: PolicyWorld

    def refused(self, name: str, port: int = 0) -> str:
        return self.world.refused("user@far.example", sender=f"{name}@there.example", port=port)

    def sent(self, name: str, port: int = 0) -> str:
        return self.world.got(self.world.send("user@far.example", sender=f"{name}@there.example", port=port)).text

    def test_actions(self) -> None:
        """SD-40, SD-32: an answer is what an access table would say."""
        rejected = "<user@far.example>: Recipient address rejected:"
        self.assertEqual(f"554 5.7.1 {rejected} not you", self.refused("refused"))
        self.assertEqual(f"450 4.7.1 {rejected} wait", self.refused("later"))
        self.assertEqual("451 4.3.5 Server configuration error", self.refused("nonsense"))
        self.assertIn("\nX-Policy: seen\n", "\n" + self.sent("marked"))
        self.sent("class")

    def test_request(self) -> None:
        """SD-40: what it is told."""
        self.sent("told", self.world.options)
        (request,) = self.world.policy.of("told@there.example")
        wanted = {
            "request": "smtpd_access_policy", "protocol_state": "RCPT", "protocol_name": "ESMTP",
            "client_address": "127.0.0.1", "client_name": "unknown", "reverse_client_name": "unknown",
            "server_address": "127.0.0.1", "server_port": str(self.world.options), "helo_name": "client.example",
            "sender": "told@there.example", "recipient": "user@far.example", "recipient_count": "0", "queue_id": "",
            "etrn_domain": "", "stress": "", "sasl_method": "", "sasl_username": "", "sasl_sender": "",
            "ccert_subject": "", "ccert_issuer": "", "ccert_fingerprint": "", "ccert_pubkey_fingerprint": "",
            "encryption_protocol": "", "encryption_cipher": "", "encryption_keysize": "0", "policy_context": "mine",
        }  # fmt: skip
        self.assertEqual(wanted, {name: request.get(name, "(missing)") for name in wanted})
        self.assertRegex(request["client_port"], r"^\d+$")
        self.assertGreater(int(request["size"]), 0)

    def test_later_stages(self) -> None:
        """SD-40: at DATA and after the dot queue ID and number of recipients are known, and instance is the same."""
        to = ["a@far.example", "b@far.example"]
        self.world.got(self.world.send(to, sender="late@there.example", port=self.world.late))
        data, end = self.world.policy.of("late@there.example")
        for request, state in ((data, "DATA"), (end, "END-OF-MESSAGE")):
            told = (request["protocol_state"], request["recipient_count"], request["recipient"])
            self.assertEqual((state, "2", ""), told)
            self.assertNotEqual("", request["queue_id"])
        self.assertEqual(data["instance"], end["instance"])
        self.assertGreater(int(end["size"]), 50)

    def test_kept(self) -> None:
        """SD-40: a connection is kept, and opened again when the service has been restarted."""
        mark = self.system.mark()
        self.sent("kept")
        before = self.world.policy.connections
        for _ in range(4):
            self.sent("kept")
        if self.mode not in (WORKERS2, POSTFIX):  # the other process has one of its own
            self.assertEqual(before, self.world.policy.connections)
        self.world.policy.stop()
        self.world.policy.start()
        self.sent("kept")
        self.assertGreater(self.world.policy.connections, before)
        self.assertNotIn("Server configuration problem", self.system.log(mark))

    def test_tried_again(self) -> None:
        """SD-40: it hangs up once, and answers the second time (try_limit 2)."""
        self.sent("onceaway")
        self.assertEqual(2, len(self.world.policy.of("onceaway@there.example")))

    def test_gone(self) -> None:
        """SD-40: nobody there, and one that always hangs up: the default action."""
        mark = self.system.mark()
        self.assertEqual(_UNAVAILABLE, self.refused("any", self.world.dead))
        for what in ("connect to", "problem talking to server"):
            self.assertLogged(rf"smtpd\[\d+\]: warning: {what} 127\.0\.0\.1:\d+: Connection refused$", mark)
        self.assertEqual(_UNAVAILABLE, self.refused("away"))

    def test_stalled(self) -> None:
        """SD-40: it does not answer within the time limit; a service with a default action of its own permits."""
        mark = self.system.mark()
        before = time.monotonic()
        self.assertEqual(_UNAVAILABLE, self.refused("stall"))
        self.assertGreater(time.monotonic() - before, 2.5)  # two attempts and the pause between them
        pattern = r"smtpd\[\d+\]: warning: problem talking to server 127\.0\.0\.1:\d+: Connection timed out$"
        self.assertLogged(pattern, mark)
        self.sent("stall", self.world.options)
        self.sent("fine")

    def test_unix(self) -> None:
        """SD-40: behind a UNIX socket of the queue directory; it is there later than we."""
        mark = self.system.mark()
        self.assertEqual(_UNAVAILABLE, self.refused("marked", self.world.unix))
        self.assertLogged(r"warning: problem talking to server private/policy: No such file or directory$", mark)
        policy = self.world.by_unix()
        self.assertIn("X-Policy: seen\n", self.sent("marked", self.world.unix))
        self.assertEqual(1, len(policy.requests))
        policy.stop()


SPF = {
    ("pass.example", "TXT"): ['"v=spf1 ip4:198.51.100.7 -all"'],
    ("fail.example", "TXT"): ['"v=spf1 ip4:192.0.2.1 -all"'],
    ("helo.example", "TXT"): ['"v=spf1 ip4:198.51.100.7 -all"'],
}
_SPF_CONF = "debugLevel = 1\nTestOnly = 1\nHELO_reject = Fail\nMail_From_reject = Fail\nPermError_reject = False\n"


class RealPolicyWorld(World):
    """postgrey on a port, policyd-spf that is spawned; clients come by XCLIENT."""

    def prepare(self) -> None:
        self.postgrey = Postgrey()
        self.closers.append(self.postgrey.close)
        self.dns = PrivateDns(SPF)
        self.closers.append(self.dns.close)
        self.spf = free_port()

    def furnish(self) -> None:
        self.system.prefix = self.dns.prefix

    def main(self) -> Mapping[str, str]:
        return {
            "smtpd_authorized_xclient_hosts": "127.0.0.0/8", "relay_domains": "far.example",
            "policyd-spf_time_limit": "3600", "relay_transport": f"smtp:[127.0.0.1]:{self.sink.port}",
        }  # fmt: skip

    def tables(self) -> Mapping[str, str]:
        return {"spf.conf": _SPF_CONF}

    def services(self) -> Sequence[str]:
        return [
            listener(self.port, f"smtpd_recipient_restrictions = check_policy_service {self.postgrey.name}"),
            listener(self.spf, "smtpd_recipient_restrictions = check_policy_service unix:private/policyd-spf"),
            policyd_spf("policyd-spf"),
        ]

    def ports(self) -> Sequence[int]:
        return [self.port, self.spf]

    def from_client(self, sender: str, port: int) -> tuple[str, str]:
        """(the refusal or nothing, the token) of a mail of client 198.51.100.7."""
        token = new_token()
        with smtplib.SMTP("127.0.0.1", port, "helo.example", timeout=60) as client:
            client.ehlo()
            client.docmd("XCLIENT", "ADDR=198.51.100.7 NAME=helo.example")
            client.ehlo()
            try:
                client.sendmail(sender, ["user@far.example"], f"X-Token: {token}\r\n\r\nhello\r\n")
            except smtplib.SMTPRecipientsRefused as error:
                code, text = next(iter(error.recipients.values()))
                return f"{code} {text.decode()}", token
        return "", token


@in_each_mode
class RealPolicies(WorldCase):
    """Two that people use."""

    world_class = RealPolicyWorld
    world: RealPolicyWorld
    needs_root = True

    def test_postgrey(self) -> None:
        """SD-40: the first attempt is put off, a later one passes and has postgrey's header."""
        sender = f"{new_token()}@there.example"
        said, _ = self.world.from_client(sender, self.world.port)
        self.assertRegex(said, r"^450 4\.2\.0 <user@far\.example>: Recipient address rejected: Greylisted, see http")

        def passed() -> str | None:
            said, token = self.world.from_client(sender, self.world.port)
            return None if said else token

        token = wait_for(passed, self.system.told)
        self.assertRegex(self.world.got(token).text, r"(?m)^X-Greylist: delayed \d+ seconds by postgrey")

    def test_spf(self) -> None:
        """SD-40, SP-1, DN-1: policyd-spf asks DNS, refuses, and puts its header in front."""
        said, token = self.world.from_client("a@pass.example", self.world.spf)
        self.assertEqual("", said, self.system.told())
        self.assertIn("Received-SPF: Pass ", self.world.got(token).text)
        said, _ = self.world.from_client("a@fail.example", self.world.spf)
        refused = r"^550 5\.7\.23 <user@far\.example>: Recipient address rejected: Message rejected due to: SPF fail"
        self.assertRegex(said, refused)
