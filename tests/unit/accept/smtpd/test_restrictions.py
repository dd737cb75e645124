"""Restriction lists: order, verdicts, every access action, and each restriction once."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.restrictions import split
from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.accept.smtpd.service import SmtpdService
from pytwfix.contracts.dns import MX, TryAgain
from pytwfix.contracts.verification import BOUNCE, TODO
from tests.kit.accepting import StaticNames, StaticVerifier, ZoneResolver, a, mx
from tests.kit.smtpclient import Smtp, smtpd_host

HELO, MAIL, RCPT = "EHLO client.example", "MAIL FROM:<a@b.example>", "RCPT TO:<bob@example.com>"
OK = "250 2.1.5 Ok"
CLIENT = "unknown[198.51.100.7]"


def inline(**entries: str) -> str:
    pairs = ", ".join(f"{{{key.replace('_at_', '@')} = {value}}}" for key, value in entries.items())
    return f"inline:{{ {pairs} }}"


class Asked(SynchronousTestCase):
    """One RCPT under one list."""

    def rcpt(
        self, main: dict[str, str], *lines: str, zone: dict[tuple[str, str], Any] | None = None, **peers: Any
    ) -> str:
        host = smtpd_host(main, **peers)
        host.resolver = ZoneResolver(zone)
        self.smtp = Smtp(host)
        return self.smtp.last(*(lines or (HELO, MAIL, RCPT)))

    def sender(self, action: str, *lines: str) -> str:
        """What an access(5) action does to sender a@b.example."""
        table = inline(a_at_b="unused", **{"a_at_b.example": action})
        return self.rcpt({"smtpd_sender_restrictions": f"check_sender_access {table}"}, *lines)


class Unavailable(Asked):
    def test_outside_of_a_mail(self) -> None:
        """SD-32: what is done to a mail is not done where there is none."""
        main = {"smtpd_relay_restrictions": "check_recipient_access static:REJECT, reject"}
        etrn = {"smtpd_etrn_restrictions": "check_etrn_access static:REJECT"}
        for action in "DISCARD", "HOLD", "FILTER smtp:x", "REDIRECT a@b.example", "BCC a@b.example", "PREPEND X: y":
            client = {"smtpd_client_restrictions": f"check_client_access static:{{{action}}}"}
            word = action.partition(" ")[0]
            skipped = "skipped in Client host or Helo command restrictions"
            self.assertTrue(self.rcpt({**main, **client}, HELO, "VRFY bob@example.com").startswith("554"))
            self.assertIn(f"{word} is always {skipped}", "".join(self.smtp.log))
            self.assertTrue(self.rcpt({**etrn, **client}, HELO, "ETRN example.com").startswith("554"))
            why = f"always {skipped}" if word == "PREPEND" else "unavailable in smtpd_etrn_restrictions"
            self.assertIn(f"{word} is {why}", "".join(self.smtp.log))

    def test_last_words(self) -> None:
        """SD-14, SD-32: a 521 is the last word, also for a chunk and a client that has made too many errors."""
        main = {"smtpd_hard_error_limit": "1", "smtpd_data_restrictions": "check_sender_access static:{521 never}"}
        said = self.rcpt(main, HELO, MAIL, RCPT, "BDAT 2 LAST\r\n")
        self.assertEqual("521 5.7.1 <a@b.example>: Sender address rejected: never", said)


class Lists(Asked):
    def test_split(self) -> None:
        """SD-31, MC-8."""
        self.assertEqual(["a", "b x:y", "c"], split("a, {b x:y}\n c"))
        self.assertEqual(["inline:{ {x = y z} }"], split("inline:{ {x = y z} }"))

    def test_first_verdict_counts(self) -> None:
        """SD-23: OK ends one list only."""
        self.assertEqual(OK, self.rcpt({"smtpd_client_restrictions": "permit, reject"}))
        said = self.rcpt({"smtpd_client_restrictions": "permit", "smtpd_sender_restrictions": "reject"})
        self.assertEqual("554 5.7.1 <a@b.example>: Sender address rejected: Access denied", said)

    def test_both_flags_end_a_list(self) -> None:
        """SD-23: with both flags a deferral is certain, so that what follows in the list is not asked."""
        both = "defer_if_permit, defer_if_reject"
        for rest in "reject_unauth_destination", "defer", "no_such_restriction", "check_sender_access static:REJECT":
            main = {"smtpd_relay_restrictions": f"{both}, {rest}, reject", "smtpd_recipient_restrictions": ""}
            deferred = "450 4.7.0 <bob@example.com>: Recipient address rejected: defer_if_permit requested"
            self.assertEqual(deferred, self.rcpt(main))
            self.assertEqual([], [line for line in self.smtp.log if "unknown smtpd" in line])
            main["smtpd_recipient_restrictions"] = "defer"  # another list
            later = "450 4.3.2 <bob@example.com>: Recipient address rejected: Try again later"
            self.assertEqual(later, self.rcpt(main))

    def test_vrfy_and_flags(self) -> None:
        """SD-12, SD-23: lists about recipients count for VRFY, those about the client within a mail alone."""
        vrfy = "VRFY bob@example.com"
        deferred = "450 4.7.0 <bob@example.com>: Recipient address rejected: defer_if_permit requested"
        main = {"smtpd_relay_restrictions": "defer_if_permit, permit_mynetworks, reject_unauth_destination"}
        self.assertEqual(deferred, self.rcpt(main, HELO, vrfy))
        self.assertEqual(deferred, self.rcpt(main, HELO, MAIL, vrfy))
        main = {"smtpd_client_restrictions": "defer_if_permit"}
        self.assertEqual("252 2.0.0 bob@example.com", self.rcpt(main, HELO, vrfy))
        deferred = f"450 4.7.0 <{CLIENT}>: Client host rejected: defer_if_permit requested"
        self.assertEqual(deferred, self.rcpt(main, HELO, MAIL, vrfy))

    def test_order(self) -> None:
        """SD-21: client, helo, sender, relay, recipient."""
        names = ("client", "helo", "sender", "relay", "recipient")
        words = ("Client host", "Helo command", "Sender address", "Recipient address", "Recipient address")
        for at, word in enumerate(words):
            self.assertIn(word, self.rcpt({f"smtpd_{name}_restrictions": "reject" for name in names[at:]}), names[at])

    def test_at_once(self) -> None:
        """SD-20, LG-3: smtpd_delay_reject = no; after a refused greeting there is QUIT alone."""
        now = {"smtpd_delay_reject": "no"}
        smtp = Smtp(smtpd_host({**now, "smtpd_client_restrictions": "reject"}))
        self.assertEqual([f"554 5.7.1 <{CLIENT}>: Client host rejected: Access denied"], smtp.said())
        self.assertEqual(f"503 5.7.0 Error: access denied for {CLIENT}", smtp.last("EHLO x"))
        self.assertEqual("221 2.0.0 Bye", smtp.last("QUIT"))
        text = f"554 5.7.1 <{CLIENT}>: Client host rejected: Access denied"
        self.assertIn(f"NOQUEUE: reject: CONNECT from {CLIENT}: {text}; proto=SMTP", smtp.log)
        self.assertIn("Helo command", self.rcpt({**now, "smtpd_helo_restrictions": "reject"}, HELO))
        self.assertIn("Sender address", self.rcpt({**now, "smtpd_sender_restrictions": "reject"}, HELO, MAIL))

    def test_warn_if_reject(self) -> None:
        """SD-25."""
        self.assertEqual(OK, self.rcpt({"smtpd_sender_restrictions": "warn_if_reject reject"}))
        text = "554 5.7.1 <a@b.example>: Sender address rejected: Access denied"
        line = f"NOQUEUE: reject_warning: RCPT from {CLIENT}: {text}; "
        self.assertIn(line + "from=<a@b.example> to=<bob@example.com> proto=ESMTP helo=<client.example>", self.smtp.log)

    def test_defer_if(self) -> None:
        """SD-23: both stick; a permit becomes 4xx, a reject too."""
        said = self.rcpt({"smtpd_client_restrictions": "defer_if_permit"})
        self.assertEqual(f"450 4.7.0 <{CLIENT}>: Client host rejected: defer_if_permit requested", said)
        said = self.rcpt({"smtpd_client_restrictions": "defer_if_reject, reject"})
        self.assertEqual(f"450 4.7.0 <{CLIENT}>: Client host rejected: defer_if_reject requested", said)
        self.assertEqual(OK, self.rcpt({"smtpd_client_restrictions": "defer_if_reject"}))
        said = self.rcpt({"smtpd_client_restrictions": "defer_if_reject", "smtpd_sender_restrictions": "reject"})
        self.assertEqual("554 5.7.1 <a@b.example>: Sender address rejected: Access denied", said)

    def test_unknown_words(self) -> None:
        """SD-30, SD-31: refused when reached, with a warning."""
        for word, warning in (
            ("no_such_thing", 'warning: unknown smtpd restriction: "no_such_thing"'),
            ("check_ccert_access {static:x, {order=y}}", "bad option"),
            ("permit_naked_ip_address", "has been removed"),
            ("check_sender_access", 'bad argument "check_sender_access"'),
        ):
            said = self.rcpt({"smtpd_sender_restrictions": word})
            self.assertEqual("451 4.3.5 Server configuration error", said, word)
            self.assertTrue(any(warning in line for line in self.smtp.log), word)

    def test_unhonoured(self) -> None:
        """What is asked for and not there is said at start, not found out later."""
        host = smtpd_host({"smtpd_tls_enable_rpk": "yes"})
        SmtpdService(host).startService()
        warning = "warning: smtpd_tls_enable_rpk is set, but this server does not support it yet"
        self.assertEqual([warning], host.log.lines)

    def test_bare_table(self) -> None:
        """SD-31."""
        said = self.rcpt({"smtpd_helo_restrictions": inline(**{"client.example": "REJECT no"})})
        self.assertEqual("554 5.7.1 <client.example>: Helo command rejected: no", said)
        said = self.rcpt({"smtpd_data_restrictions": "static:OK"}, HELO, MAIL, RCPT, "DATA")
        self.assertEqual("451 4.3.5 Server configuration error", said)

    def test_classes(self) -> None:
        """DN-2."""
        main = {"smtpd_restriction_classes": "strict", "strict": "permit_mynetworks, reject"}
        table = inline(bob_at_="unused", **{"bob@example.com": "strict"})
        said = self.rcpt({**main, "smtpd_recipient_restrictions": f"check_recipient_access {table}"})
        self.assertEqual("554 5.7.1 <bob@example.com>: Recipient address rejected: Access denied", said)

    def test_class_of_itself(self) -> None:
        main = {"smtpd_restriction_classes": "round", "round": "round", "smtpd_sender_restrictions": "round"}
        self.assertEqual("451 4.3.5 Server configuration error", self.rcpt(main))

    def test_safety(self) -> None:
        """SD-22: no open relay by omission; undefined classes (DN-2)."""
        for main in (
            {"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": "permit"},
            {"smtpd_relay_restrictions": "warn_if_reject reject", "smtpd_recipient_restrictions": ""},
            {"smtpd_restriction_classes": "undefined"},
        ):
            service = SmtpdService(smtpd_host(main))
            self.assertRaises(Fatal, service.startService)

    def test_table_fails(self) -> None:
        """SD-31."""
        said = self.rcpt({"smtpd_sender_restrictions": "check_sender_access fail:x"})
        self.assertEqual("451 4.3.0 <a@b.example>: Temporary lookup failure", said)

    def test_sleep(self) -> None:
        """SD-25."""
        smtp = Smtp(smtpd_host({"smtpd_client_restrictions": "sleep 5, reject"}))
        smtp.send(HELO, MAIL)
        self.assertEqual([], smtp.send(RCPT))
        smtp.host.clock.advance(5)
        self.assertIn("Client host rejected", smtp.said()[0])

    def test_data_lists(self) -> None:
        """SD-21, SD-29, SD-34."""
        main = {"smtpd_data_restrictions": "reject_multi_recipient_bounce"}
        lines = (HELO, "MAIL FROM:<>", RCPT, "RCPT TO:<alice@example.com>", "DATA")
        self.assertEqual("550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce", self.rcpt(main, *lines))
        main = {"smtpd_end_of_data_restrictions": "check_sender_access inline:{ {a@b.example = REJECT at eod} }"}
        said = self.rcpt(main, HELO, MAIL, RCPT, "DATA", ".")
        self.assertEqual("554 5.7.1 <a@b.example>: Sender address rejected: at eod", said)
        self.assertEqual("aborted", self.smtp.mails[0].ended)

    def test_postmaster(self) -> None:
        """SD-7: always welcome when given without a domain."""
        self.assertEqual(OK, self.rcpt({"smtpd_client_restrictions": "reject"}, HELO, MAIL, "RCPT TO:<Postmaster>"))


class Actions(Asked):
    """SD-32, SD-33."""

    def test_refusals(self) -> None:
        start = "<a@b.example>: Sender address rejected:"
        cases = {
            "REJECT": f"554 5.7.1 {start} Access denied",
            "reject go away": f"554 5.7.1 {start} go away",
            "REJECT 5.7.9 custom": f"554 5.7.9 {start} custom",
            "REJECT 4.7.9 class": f"554 5.7.9 {start} class",
            "DEFER": f"450 4.7.1 {start} Access denied",
            "550 five": f"550 5.7.1 {start} five",
            "550 4.1.1 mismatch": f"550 5.1.7 {start} mismatch",
            "450 5.1.5 x": f"450 4.1.0 {start} x",
            "DEFER_IF_PERMIT": f"450 4.7.1 {start} Service unavailable",
            "DEFER_IF_PERMIT 4.7.7 later": f"450 4.7.7 {start} later",
            "warn_if_reject, permit": OK,
            "reject_unauth_pipelining, reject": f"554 5.7.1 {start} Access denied",
            "299 odd": "451 4.3.5 Server configuration error",
            "nonsense": "451 4.3.5 Server configuration error",
        }
        for action, said in cases.items():
            self.assertEqual(said, self.sender(action), action)

    def test_permits(self) -> None:
        for action in ("OK", "RELAY", "1234", "550", "DUNNO", "permit", "INFO x", "WARN y", "FILTER nocolon"):
            self.assertEqual(OK, self.sender(action), action)

    def test_hang_up(self) -> None:
        for action, said in (("421 bye", "421 4.7.1"), ("521 no", "521 5.7.1")):
            self.assertTrue(self.sender(action).startswith(said), action)
            self.assertTrue(self.smtp.closed)
        host = smtpd_host({"smtpd_sender_restrictions": "check_sender_access inline:{ {a@b.example = HANGUP} }"})
        smtp = Smtp(host)
        smtp.send(HELO, MAIL)
        self.assertEqual([], smtp.send(RCPT))
        self.assertTrue(smtp.closed)

    def test_for_cleanup(self) -> None:
        cases = {
            "FILTER smtp:[h]:1": (("filter", "smtp:[h]:1"), "filter", "triggers FILTER smtp:[h]:1"),
            "HOLD for review": (("hold", "for review"), "hold", "for review"),
            "HOLD": (("hold", ""), "hold", "triggers HOLD action"),
            "REDIRECT x@y": (("redirect", "x@y"), "redirect", "triggers REDIRECT x@y"),
            "BCC x@y": (("bcc", "x@y"), "bcc", "triggers BCC x@y"),
            "DISCARD silently": (("discard", "silently"), "discard", "silently"),
        }
        context = "from=<a@b.example> to=<bob@example.com> proto=ESMTP helo=<client.example>"
        for action, (told, word, text) in cases.items():
            self.assertEqual(OK, self.sender(action), action)
            self.assertEqual([told], self.smtp.mails[0].actions)
            line = f"NOQUEUE: {word}: RCPT from {CLIENT}: <a@b.example>: Sender address {text}; {context}"
            self.assertIn(line, self.smtp.log)

    def test_hold_once_a_mail(self) -> None:
        self.sender("HOLD", HELO, MAIL, RCPT, "RCPT TO:<alice@example.com>")
        self.assertEqual([("hold", "")], self.smtp.mails[0].actions)

    def test_discard_ends_all_lists(self) -> None:
        self.assertEqual(OK, self.sender("DISCARD", HELO, MAIL, "RCPT TO:<x@remote.example>"))

    def test_prepend(self) -> None:
        """Before our Received."""
        self.sender("PREPEND X-Access: yes", HELO, MAIL, RCPT, "DATA", ".")
        self.assertTrue(self.smtp.mails[0].content.startswith(b"X-Access: yes\r\nReceived: from "))

    def test_complaints(self) -> None:
        for action, need in (
            ("FILTER nocolon", "transport:destination"),
            ("REDIRECT nobody", "user@domain target"),
            ("PREPEND nocolon", "header: text"),
        ):
            self.assertEqual(OK, self.sender(action))
            end = f'entry "a@b.example" requires {need}'
            self.assertTrue(any(line.endswith(end) for line in self.smtp.log), action)

    def test_permit_log(self) -> None:
        """SD-57."""
        table = inline(**{"a@b.example": "OK"})
        main = {"smtpd_log_access_permit_actions": "OK", "smtpd_sender_restrictions": f"check_sender_access {table}"}
        self.rcpt(main)
        line = f"NOQUEUE: permit: RCPT from {CLIENT}: action=OK for Sender address=a@b.example from {table};"
        self.assertTrue(any(one.startswith(line) for one in self.smtp.log))


class Lookups(Asked):
    """SD-35."""

    def hit(self, key: str, sender: str = "user+ext@sub.b.example", **main: str) -> bool:
        table = inline(**{key: "REJECT"})
        options = {"smtpd_sender_restrictions": f"check_sender_access {table}", "recipient_delimiter": "+", **main}
        return self.rcpt(options, HELO, f"MAIL FROM:<{sender}>", RCPT) != OK

    def test_addresses(self) -> None:
        for key in (
            "user+ext@sub.b.example",
            "user@sub.b.example",
            "sub.b.example",
            "b.example",
            "example",
            "user+ext@",
            "user@",
        ):
            self.assertTrue(self.hit(key), key)
        for key in ("user", "ext", ".b.example", "@sub.b.example"):
            self.assertFalse(self.hit(key), key)
        self.assertTrue(self.hit("<>", ""))
        self.assertTrue(self.hit("USER@sub.b.example".lower(), "USER@SUB.b.example"))

    def test_dotted_parents(self) -> None:
        other = {"parent_domain_matches_subdomains": "mynetworks"}
        self.assertTrue(self.hit(".b.example", **other))
        self.assertFalse(self.hit("b.example", **other))

    def test_clients(self) -> None:
        for key in ("198.51.100.7", "198.51.100", "198.51", "198", "unknown"):
            said = self.rcpt({"smtpd_client_restrictions": f"check_client_access {inline(**{key: 'REJECT'})}"})
            self.assertEqual(f"554 5.7.1 <{CLIENT}>: Client host rejected: Access denied", said, key)

    def test_reverse_name_may_not_permit(self) -> None:
        """SD-36."""
        host = smtpd_host({"smtpd_client_restrictions": "check_reverse_client_hostname_access static:OK"})
        self.assertEqual("451 4.3.5 Server configuration error", Smtp(host).last(HELO, MAIL, RCPT))


class Names(Asked):
    def helo(self, restriction: str, name: str, zone: dict[tuple[str, str], Any] | None = None) -> str:
        return self.rcpt({"smtpd_helo_restrictions": restriction}, f"EHLO {name}", MAIL, RCPT, zone=zone)

    def test_helo(self) -> None:
        """SD-27."""
        bad = {"-bad-.example": "Invalid name", "a..b": "Invalid name", "[127.0.0.999]": "invalid ip address"}
        for name, text in bad.items():
            said = f"501 5.5.2 <{name}>: Helo command rejected: {text}"
            self.assertEqual(said, self.helo("reject_invalid_helo_hostname", name))
        for name in ("good.example", "short", "[127.0.0.1]", "[IPv6:2001:db8::1]", "127.0.0.1", "bad_host.example"):
            self.assertEqual(OK, self.helo("reject_invalid_helo_hostname", name), name)
        for name in ("short", "127.0.0.1", "-bad-.example"):
            said = f"504 5.5.2 <{name}>: Helo command rejected: need fully-qualified hostname"
            self.assertEqual(said, self.helo("reject_non_fqdn_helo_hostname", name))

    def test_unknown_helo(self) -> None:
        zone = {
            ("known.example", "A"): [a("192.0.2.9")],
            ("slow.example", "MX"): TryAgain("slow.example", "MX", "slow"),
        }
        self.assertEqual(OK, self.helo("reject_unknown_helo_hostname", "known.example", zone))
        for name in ("nowhere.example", "slow.example"):
            said = f"450 4.7.1 <{name}>: Helo command rejected: Host not found"
            self.assertEqual(said, self.helo("reject_unknown_helo_hostname", name, zone))

    def test_clients(self) -> None:
        """SD-26, SD-46."""
        text = "Client host rejected: cannot find your"
        said = self.rcpt({"smtpd_client_restrictions": "reject_unknown_client_hostname"})
        self.assertEqual(f"450 4.7.25 {text} hostname, [198.51.100.7]", said)
        said = self.rcpt({"smtpd_client_restrictions": "reject_unknown_reverse_client_hostname"})
        self.assertEqual(f"450 4.7.1 {text} reverse hostname, [198.51.100.7]", said)
        host = smtpd_host({"smtpd_client_restrictions": "reject_unknown_client_hostname"})
        host.names = StaticNames({"198.51.100.7": "known.example"})
        self.assertEqual(OK, Smtp(host).last(HELO, MAIL, RCPT))
        host = smtpd_host({"smtpd_peername_lookup": "no"})
        Smtp(host, "127.0.0.1")
        self.assertEqual(["connect from unknown[127.0.0.1]"], host.log.lines)

    def test_addresses(self) -> None:
        """SD-28, SD-29."""
        said = self.rcpt({"smtpd_sender_restrictions": "reject_non_fqdn_sender"}, HELO, "MAIL FROM:<x>", RCPT)
        self.assertEqual("504 5.5.2 <x>: Sender address rejected: need fully-qualified address", said)
        main = {"smtpd_recipient_restrictions": "reject_non_fqdn_recipient", "mynetworks": "198.51.100.0/24"}
        said = self.rcpt(main, HELO, MAIL, "RCPT TO:<x@short>")
        self.assertEqual("504 5.5.2 <x@short>: Recipient address rejected: need fully-qualified address", said)

    def test_unknown_domains(self) -> None:
        zone = {
            ("null.example", "MX"): [MX(0, "")],
            ("fine.example", "MX"): [mx("mx.fine.example")],
            ("slow.example", "MX"): TryAgain("slow.example", "MX", "slow"),
        }
        main = {"smtpd_sender_restrictions": "reject_unknown_sender_domain"}
        cases = {
            "fine.example": OK,
            "example.com": OK,
            "nx.example": "450 4.1.8 <a@nx.example>: Sender address rejected: Domain not found",
            "slow.example": "450 4.1.8 <a@slow.example>: Sender address rejected: Domain not found",
            "null.example": "550 5.7.27 <a@null.example>: Sender address rejected: "
            "Domain null.example does not accept mail (nullMX)",
        }
        for domain, said in cases.items():
            self.assertEqual(said, self.rcpt(main, HELO, f"MAIL FROM:<a@{domain}>", RCPT, zone=zone), domain)

    def test_servers(self) -> None:
        """SD-36: by name and by address of name servers and mail exchangers."""
        zone = {("b.example", "MX"): [mx("mx.spam.example")], ("mx.spam.example", "A"): [a("192.0.2.66")]}
        for key in ("mx.spam.example", "spam.example", "192.0.2.66", "192.0.2"):
            table = inline(**{key: "REJECT no"})
            said = self.rcpt({"smtpd_sender_restrictions": f"check_sender_mx_access {table}"}, zone=zone)
            self.assertEqual("554 5.7.1 <a@b.example>: Sender address rejected: no", said, key)
        zone = {("example", "NS"): ["ns.spam.example"]}
        table = inline(**{"ns.spam.example": "REJECT no"})
        said = self.rcpt({"smtpd_sender_restrictions": f"check_sender_ns_access {table}"}, zone=zone)
        self.assertEqual("554 5.7.1 <a@b.example>: Sender address rejected: no", said)
        said = self.rcpt({"smtpd_sender_restrictions": "check_sender_a_access static:OK"}, zone=zone)
        self.assertEqual("451 4.3.5 Server configuration error", said)


class Destinations(Asked):
    def test_relay(self) -> None:
        """SD-29, SD-38."""
        text = "<x@remote.example>: Relay access denied"
        remote = (HELO, MAIL, "RCPT TO:<x@remote.example>")
        self.assertEqual(f"454 4.7.1 {text}", self.rcpt({}, *remote))
        only = {"smtpd_relay_restrictions": "reject_unauth_destination"}
        self.assertEqual(f"554 5.7.1 {text}", self.rcpt(only, *remote))
        self.assertEqual(OK, self.rcpt({"mynetworks": "198.51.100.0/24"}, *remote))
        self.assertEqual(OK, self.rcpt({}, HELO, MAIL, "RCPT TO:<x@relay.example>"))
        both = {"smtpd_relay_restrictions": "permit_auth_destination, reject"}
        self.assertEqual(OK, self.rcpt(both))
        self.assertIn("Access denied", self.rcpt(both, *remote))

    def test_unlisted(self) -> None:
        """SD-38, SD-52."""
        rows = {
            "ghost@example.com": "local recipient",
            "ghost@alias.example": "virtual alias",
            "ghost@box.example": "virtual mailbox",
            "ghost@relay.example": "relay recipient",
        }
        main = {"virtual_mailbox_maps": "inline:{x=y}", "relay_recipient_maps": "inline:{x=y}"}
        for address, table in rows.items():
            said = f"550 5.1.1 <{address}>: Recipient address rejected: User unknown in {table} table"
            self.assertEqual(said, self.rcpt(main, HELO, MAIL, f"RCPT TO:<{address}>"))
        short = {**main, "show_user_unknown_table_name": "no"}
        self.assertTrue(self.rcpt(short, HELO, MAIL, "RCPT TO:<ghost@example.com>").endswith("rejected: User unknown"))
        off = {"receive_override_options": "no_unknown_recipient_checks"}
        self.assertEqual(OK, self.rcpt(off, HELO, MAIL, "RCPT TO:<ghost@example.com>"))
        alias = {"virtual_alias_maps": "inline:{ghost@example.com=bob}"}
        self.assertEqual(OK, self.rcpt(alias, HELO, MAIL, "RCPT TO:<ghost@example.com>"))
        self.assertEqual(OK, self.rcpt({"recipient_delimiter": "+"}, HELO, MAIL, "RCPT TO:<bob+x@example.com>"))
        one = {"virtual_alias_maps": "inline:{one@alias.example=bob}"}
        self.assertEqual(OK, self.rcpt(one, HELO, MAIL, "RCPT TO:<one@alias.example>"))

    def test_without_domain(self) -> None:
        """SD-38, TR-2: what smtpd resolves is the address with our origin."""
        self.assertEqual(OK, self.rcpt({}, HELO, MAIL, "RCPT TO:<bob>"))
        said = "550 5.1.1 <ghost>: Recipient address rejected: User unknown in local recipient table"
        self.assertEqual(said, self.rcpt({}, HELO, MAIL, "RCPT TO:<ghost>"))

    def test_always_there(self) -> None:
        """SD-38: the addresses of the mail system itself are known in local domains."""
        main = {"local_recipient_maps": "inline:{bob=x}"}
        for name in ("postmaster", "MAILER-DAEMON", "double-bounce"):
            self.assertEqual(OK, self.rcpt(main, HELO, MAIL, f"RCPT TO:<{name}@example.com>"))

    def test_probe_sender(self) -> None:
        """VE-1, SD-38: who gets our probes may ask whether their sender is there."""
        main = {"local_recipient_maps": "inline:{bob=x}", "address_verify_sender": "probe"}
        self.assertEqual(OK, self.rcpt(main, HELO, MAIL, "RCPT TO:<probe@example.com>"))
        main["address_verify_sender_ttl"] = "3600s"
        unknown = "550 5.1.1 <probe@example.com>: Recipient address rejected: User unknown in local recipient table"
        self.assertEqual(unknown, self.rcpt(main, HELO, MAIL, "RCPT TO:<probe@example.com>"))
        self.assertEqual(OK, self.rcpt(main, HELO, MAIL, "RCPT TO:<probeHVCZ@example.com>"))

    def test_unlisted_sender(self) -> None:
        """SD-33: the statuses that Postfix gives."""
        main = {"smtpd_reject_unlisted_sender": "yes"}
        for address, status, table in (
            ("ghost@example.com", "5.1.0", "local recipient"),
            ("ghost@alias.example", "5.1.7", "virtual alias"),
        ):
            said = f"550 {status} <{address}>: Sender address rejected: User unknown in {table} table"
            self.assertEqual(said, self.rcpt(main, HELO, f"MAIL FROM:<{address}>", RCPT))

    def test_unverified(self) -> None:
        """SD-39."""
        main = {"smtpd_recipient_restrictions": "reject_unverified_recipient", "address_verify_poll_count": "2"}
        self.assertEqual(OK, self.rcpt(main, verifier=StaticVerifier()))
        said = self.rcpt(main, verifier=StaticVerifier(BOUNCE, "no such user"))
        start = "<bob@example.com>: Recipient address rejected:"
        self.assertEqual(f"450 4.1.1 {start} unverified address: no such user", said)
        hard = {**main, "unverified_recipient_reject_code": "550"}
        said = self.rcpt(hard, verifier=StaticVerifier(BOUNCE, "no such user"))
        self.assertEqual(f"550 5.1.1 {start} undeliverable address: no such user", said)
        verifier = StaticVerifier(TODO)
        smtp = Smtp(smtpd_host(main, verifier=verifier))
        smtp.send(HELO, MAIL, RCPT)
        smtp.host.clock.advance(3)
        in_progress = "unverified address: Address verification in progress"
        self.assertEqual([f"450 4.1.1 {start} {in_progress}"], smtp.said())
        self.assertEqual(2, verifier.asked)


class DnsLists(Asked):
    """SD-37."""

    ZONE = {
        ("7.100.51.198.bl.example", "A"): [a("127.0.0.4")],
        ("7.100.51.198.bl.example", "TXT"): [b"see", b"us"],
        ("client.example.rhs.example", "A"): [a("127.0.0.2")],
    }

    def test_client(self) -> None:
        said = self.rcpt({"smtpd_client_restrictions": "reject_rbl_client bl.example"}, zone=self.ZONE)
        text = "Service unavailable; Client host [198.51.100.7] blocked using bl.example; see / us"
        self.assertEqual(f"554 5.7.1 {text}", said)
        for pattern, listed in (("127.0.0.4", True), ("127.0.0.[2;4..5]", True), ("127.0.0.5", False)):
            main = {"smtpd_client_restrictions": f"reject_rbl_client bl.example={pattern}"}
            self.assertIs(listed, self.rcpt(main, zone=self.ZONE) != OK, pattern)

    def test_helo(self) -> None:
        said = self.rcpt({"smtpd_helo_restrictions": "reject_rhsbl_helo rhs.example"}, zone=self.ZONE)
        self.assertEqual("554 5.7.1 Service unavailable; Helo command [client.example] blocked using rhs.example", said)

    def test_no_answer_is_no_listing(self) -> None:
        zone = {("7.100.51.198.bl.example", "A"): TryAgain("x", "A", "try again")}
        self.assertEqual(OK, self.rcpt({"smtpd_client_restrictions": "reject_rbl_client bl.example"}, zone=zone))

    def test_permit(self) -> None:
        """Never a way around reject_unauth_destination."""
        main = {"smtpd_relay_restrictions": "permit_dnswl_client bl.example, reject"}
        self.assertEqual(OK, self.rcpt(main, zone=self.ZONE))
        self.assertIn("Access denied", self.rcpt(main, HELO, MAIL, "RCPT TO:<x@remote.example>", zone=self.ZONE))
