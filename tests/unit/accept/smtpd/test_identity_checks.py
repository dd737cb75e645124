"""Restrictions on logins, certificates, and backup mail exchangers."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.log import Tls
from pytwfix.contracts.dns import MX, TryAgain
from tests.kit.accepting import a
from tests.kit.smtpclient import Smtp, smtpd_host

OK = "250 2.1.5 Ok"
MAIN = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "table",
    "pytwfix_sasl_password_maps": "inline:{joe={PLAIN}x}",
    "smtpd_authorized_xclient_hosts": "198.51.100.7",
    "smtpd_sender_login_maps": "inline:{{joe@example.com=joe, alias} {ann@example.com=ann}}",
    "smtpd_relay_restrictions": "reject_unauth_destination",
}


class Logins(SynchronousTestCase):
    def rcpt(self, restriction: str, sender: str, login: str = "") -> str:
        smtp = Smtp(smtpd_host({**MAIN, "smtpd_sender_restrictions": restriction}))
        smtp.send("XCLIENT NAME=c.example ADDR=203.0.113.1" + (f" LOGIN={login}" if login else ""), "EHLO x")
        return smtp.last(f"MAIL FROM:<{sender}>", "RCPT TO:<bob@example.com>")

    def test_mismatch(self) -> None:
        """SD-28, SD-59: who owns a sender, and who may use one that nobody owns."""
        not_owned = "553 5.7.1 <{}>: Sender address rejected: not owned by user joe"
        not_logged_in = "553 5.7.1 <{}>: Sender address rejected: not logged in"
        joe, ann, other = "joe@example.com", "ann@example.com", "who@else.example"
        authenticated = "reject_authenticated_sender_login_mismatch"
        anonymous = "reject_unauthenticated_sender_login_mismatch"
        known, both = "reject_known_sender_login_mismatch", "reject_sender_login_mismatch"
        for restriction, sender, login, said in (
            (authenticated, joe, "joe", OK),
            (authenticated, joe, "ALIAS", OK),
            (authenticated, ann, "joe", not_owned),
            (authenticated, other, "joe", not_owned),
            (authenticated, "", "joe", OK),
            (authenticated, joe, "", OK),
            (anonymous, joe, "", not_logged_in),
            (anonymous, other, "", OK),
            (anonymous, ann, "joe", OK),
            (known, other, "joe", OK),
            (known, ann, "joe", not_owned),
            (known, ann, "", not_logged_in),
            (both, ann, "joe", not_owned),
            (both, other, "joe", not_owned),
            (both, ann, "", not_logged_in),
        ):
            self.assertEqual(said.format(sender), self.rcpt(restriction, sender, login), (restriction, sender, login))

    def test_check_sasl_access(self) -> None:
        """SD-26, SD-34."""
        restriction = "check_sasl_access inline:{{joe=REJECT no}}"
        self.assertEqual("554 5.7.1 <joe>: SASL login name rejected: no", self.rcpt(restriction, "", "joe"))
        self.assertEqual(OK, self.rcpt(restriction, "", "ann"))
        self.assertEqual(OK, self.rcpt(restriction, ""))


class Certificates(SynchronousTestCase):
    def rcpt(self, restriction: str, tls: bool = True, **main: str) -> str:
        smtp = Smtp(smtpd_host({"smtpd_relay_restrictions": f"{restriction}, reject", **main}))
        self.log: list[str] = smtp.log
        smtp.send("EHLO x", "MAIL FROM:<>")
        made = Tls("TLSv1.3", "X", 256, 256, "Trusted", subject="joe", fingerprint="AA:BB", key_fingerprint="CC:DD")
        self.states[-1].tls = made if tls else None
        return smtp.last("RCPT TO:<x@elsewhere.example>")

    def setUp(self) -> None:
        from pytwfix.accept.smtpd import sidecommands, state

        self.states: list[Any] = []
        real = state.State

        def remembered(*words: Any) -> Any:
            self.states.append(real(*words))
            return self.states[-1]

        self.patch(sidecommands, "State", remembered)

    def test_check_ccert_access(self) -> None:
        """SD-26, SD-42: the certificate first, then its key."""
        denied = "554 5.7.1 <joe>: Client certificate rejected: {}"
        table = "inline:{{AA:BB=REJECT cert} {CC:DD=REJECT key}}"
        self.assertEqual(denied.format("cert"), self.rcpt(f"check_ccert_access {table}"))
        order = "{ search_order = pubkey_fingerprint, cert_fingerprint }"
        self.assertEqual(denied.format("key"), self.rcpt(f"check_ccert_access {{ {table}, {order} }}"))
        self.assertEqual(OK, self.rcpt("check_ccert_access inline:{CC:DD=OK}"))
        refused = "554 5.7.1 <x@elsewhere.example>: Recipient address rejected: Access denied"
        self.assertEqual(refused, self.rcpt("check_ccert_access inline:{CC:DD=OK}", tls=False))

    def test_old_digest(self) -> None:
        """V-3, V-4: a fingerprint that is looked up is made as an old default has it."""
        text = "using backwards-compatible default setting smtpd_tls_fingerprint_digest=md5 to compute certificate fingerprints"  # noqa: E501
        table = "inline:{AA:BB=OK}"
        old: dict[str, Any] = {"compatibility_level": "3", "relay_clientcerts": table}
        for restriction in ("permit_tls_clientcerts", f"check_ccert_access {table}"):
            self.assertEqual(OK, self.rcpt(restriction, **old))
            self.assertIn(text, self.log)
            for main in ({"compatibility_level": "3.6"}, {"smtpd_tls_fingerprint_digest": "md5"}):
                self.rcpt(restriction, **{**old, **main})
                self.assertNotIn(text, self.log)
        self.rcpt("permit_tls_clientcerts", **{**old, "relay_clientcerts": ""})
        self.assertNotIn(text, self.log)

    def test_permits(self) -> None:
        """SD-26."""
        refused = "554 5.7.1 <x@elsewhere.example>: Recipient address rejected: Access denied"
        for certs in ("inline:{AA:BB=x}", "inline:{CC:DD=x}"):
            self.assertEqual(OK, self.rcpt("permit_tls_clientcerts", relay_clientcerts=certs))
        for certs, said in (("inline:{EE=x}", refused), ("", refused)):
            self.assertEqual(said, self.rcpt("permit_tls_clientcerts", relay_clientcerts=certs))
        self.assertEqual(OK, self.rcpt("permit_tls_all_clientcerts"))
        self.assertEqual(refused, self.rcpt("permit_tls_all_clientcerts", tls=False))


class Backup(SynchronousTestCase):
    def rcpt(self, *exchangers: MX, **main: str) -> str:
        given = {"smtpd_relay_restrictions": "permit_mx_backup, reject_unauth_destination", **main}
        host = smtpd_host({"inet_interfaces": "192.0.2.25", **given})
        host.resolver.zone = {
            ("b.example", "MX"): list(exchangers) or TryAgain("b.example", "MX", "try again"),
            ("us.example", "A"): [a("192.0.2.25")],
            ("them.example", "A"): [a("203.0.113.5")],
        }
        smtp = Smtp(host)
        return smtp.last("EHLO x", "MAIL FROM:<>", "RCPT TO:<x@b.example>")

    def test_backup(self) -> None:
        """SD-29: we are listed, not first, and the first is where it should be."""
        denied = "554 5.7.1 <x@b.example>: Relay access denied"
        them, us = MX(10, "them.example"), MX(20, "us.example")
        self.assertEqual(OK, self.rcpt(us, them))
        self.assertEqual(OK, self.rcpt(us, them, permit_mx_backup_networks="203.0.113.0/24"))
        self.assertEqual(denied, self.rcpt(us, them, permit_mx_backup_networks="198.51.100.0/24"))
        self.assertEqual(denied, self.rcpt(them))
        self.assertEqual(denied, self.rcpt(MX(5, "us.example"), them))

    def test_no_answer(self) -> None:
        main = {"smtpd_relay_restrictions": "permit_mx_backup, check_client_access static:OK, reject"}
        said = "450 4.4.4 <x@b.example>: Recipient address rejected: Unable to look up mail exchanger information"
        self.assertEqual(said, self.rcpt(**main))
