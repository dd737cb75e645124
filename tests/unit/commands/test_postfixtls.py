"""commands/postfixtls.py, servercertificates.py, postfixnonbdb.py: `postfix tls`, `postfix non-bdb`."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import postfix
from pytwfix.settings.maincf import read_main
from tests.kit.commands import CommandQueue


class TlsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.queue = CommandQueue(self.mktemp(), myhostname="mx.test.example", compatibility_level="3.11")
        self.patch(os, "environ", dict(os.environ))

    def ask(self, *words: str) -> tuple[int, str]:
        code, out, said = self.queue.run(postfix.main, *words)
        self.assertEqual(said, "")
        return code, out

    def tls(self, *words: str) -> str:
        code, out = self.ask("tls", *words)
        self.assertEqual(code, 0, self.queue.logged()[-1:] if code else "")
        return out

    def refused(self, *words: str) -> str:
        self.assertEqual(self.ask("tls", *words), (1, ""))
        return self.queue.logged()[-1]

    def settings(self) -> dict[str, str]:
        return {name: text for name, text in read_main(self.queue.directory).values.items() if "tls" in name}

    def files(self, pattern: str) -> list[str]:
        found = sorted(name for name in os.listdir(self.queue.directory) if re.match(pattern, name))
        return [f"{self.queue.directory}/{name}" for name in found]


class Settings(TlsCase):
    """PX-5: enable-* and all-default-*."""

    def test_client(self) -> None:
        """PX-5: only while nothing is set otherwise."""
        self.tls("all-default-client")
        self.tls("enable-client", "-r", "/dev/urandom")
        expected = {
            "smtp_tls_security_level": "may",
            "smtp_tls_loglevel": "1",
            "smtp_tls_session_cache_database": "lmdb:${data_directory}/smtp_scache",
            "tls_random_source": "dev:/dev/urandom",
        }
        self.assertEqual(self.settings(), expected)
        self.assertIn("Enabled opportunistic TLS in the Postfix SMTP client.", self.queue.logged())
        self.assertEqual(self.ask("tls", "all-default-client"), (1, ""))
        self.tls("enable-client")
        self.assertEqual(self.settings(), expected)
        self.assertIn("*** Non-default SMTP client TLS settings detected, no changes made.", self.queue.logged())

    def test_server(self) -> None:
        """PX-5: with a new key and a certificate of its own."""
        self.tls("all-default-server")
        self.tls("enable-server", "-a", "ecdsa")
        (certificate,), (key,) = self.files("eccert-"), self.files("eckey-")
        self.assertEqual(self.settings(), {
            "smtpd_tls_security_level": "may", "smtpd_tls_loglevel": "1", "smtpd_tls_received_header": "yes",
            "smtpd_tls_eccert_file": certificate, "smtpd_tls_eckey_file": key,
        })  # fmt: skip
        self.assertEqual(self.ask("tls", "all-default-server"), (1, ""))
        self.tls("enable-server")
        self.assertEqual(self.files("cert-"), [])

    def test_unknown(self) -> None:
        """PX-5: what there is."""
        self.assertIn("fatal: usage: postfix tls enable-client (or enable-server, ", self.refused("nonesuch"))
        self.assertIn("error: unknown tls command: 'nonesuch'", self.queue.logged())
        self.assertEqual(self.refused("enable-client", "-z"), "fatal: invalid option -- 'z'")
        with open(f"{self.queue.directory}/log", encoding="utf-8") as file:
            self.assertIn("postfix/postfix-tls-script[", file.readline())


class Keys(TlsCase):
    """PX-5: keys, certificates, requests, TLSA records."""

    def test_certificate(self) -> None:
        """PX-5: two names, a hundred years, a key that others may not read."""
        self.tls("new-server-key", "-b", "1024", "a.example", "b.example")
        (path,), (key,) = self.files("cert-"), self.files("key-")
        with open(path, "rb") as file:
            found = x509.load_pem_x509_certificate(file.read())
        self.assertEqual(found.subject.rfc4514_string(), "CN=a.example")
        self.assertEqual(found.issuer, found.subject)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["a.example", "b.example"])
        self.assertGreater(found.not_valid_after_utc.year - datetime.now(UTC).year, 98)
        self.assertEqual([os.stat(name).st_mode & 0o777 for name in (key, path)], [0o600, 0o644])
        self.assertEqual(self.settings(), {})
        self.assertIn(f"  # postfix tls deploy-server-cert {path} {key}", self.queue.logged())

    def test_deploy(self) -> None:
        """PX-5: a certificate and the key that it is for."""
        self.tls("new-server-key", "-a", "ecdsa")
        self.tls("new-server-key", "-b", "1024")
        (ec, eckey), (cert, key) = self.files("ec"), self.files("(cert|key)")
        text = f"fatal: Certificate in {ec} does not match key in {key}"
        self.assertEqual(self.refused("deploy-server-cert", ec, key), text)
        self.assertEqual(self.refused("deploy-server-cert", cert, ec), f"fatal: no private key found in file: {ec}")
        self.assertIn("nonesuch: No such file", self.refused("deploy-server-cert", "nonesuch", "nonesuch"))
        self.tls("deploy-server-cert", os.path.basename(cert), os.path.basename(key))
        self.assertEqual(self.settings(), {"smtpd_tls_cert_file": cert, "smtpd_tls_key_file": key})
        self.tls("deploy-server-cert", ec, eckey)
        records = self.tls("output-server-tlsa").splitlines()
        self.assertEqual(records[::2], [f"; {key}", f"; {eckey}"])
        for record in records[1::2]:
            self.assertRegex(record, r"^_25\._tcp\.mx\.test\.example\. IN TLSA 3 1 1 [0-9a-f]{64}$")
        self.assertEqual(self.tls("output-server-tlsa", "-h", "foo.example", "ecdsa").count("_25._tcp.foo.example."), 1)

    def test_same_key(self) -> None:
        """PX-5: new-server-cert keeps the key that is in use, so that TLSA records stay."""
        self.patch(time, "strftime", lambda _form, _when: "20000101-000000")
        self.tls("enable-server", "-a", "ecdsa")
        before = self.tls("output-server-tlsa").splitlines()[1]
        self.patch(time, "strftime", lambda _form, _when: "20000102-000000")
        self.tls("new-server-cert", "-a", "ecdsa", "other.example")
        after = self.tls("output-server-tlsa", self.files("eckey-20000102")[0]).splitlines()[1]
        self.assertEqual(before, after)

    def test_request(self) -> None:
        """PX-5: a CSR for the key in use, or for another."""
        self.assertEqual(self.refused("output-server-csr"), "fatal: no rsa or ecdsa private key configured")
        self.tls("enable-server", "-a", "ecdsa")
        text = self.tls("output-server-csr", "x.example", "y.example")
        found = x509.load_pem_x509_csr(text.encode())
        self.assertTrue(found.is_signature_valid)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["x.example", "y.example"])
        self.assertIn("BEGIN CERTIFICATE REQUEST", self.tls("output-server-csr", "-k", self.files("eckey-")[0]))

    def test_bad_keys(self) -> None:
        """PX-5: algorithms and sizes that there are not."""
        self.assertEqual(self.refused("new-server-key", "-a", "dsa"), "fatal: unsupported key algorithm: dsa")
        self.assertEqual(self.refused("new-server-key", "-a", "ecdsa", "-b", "x"), "fatal: unknown curve: x")
        self.assertEqual(self.refused("new-server-key", "-b", "9"), "fatal: bad RSA key size: 9")


class OtherCommands(TlsCase):
    def test_berkeley(self) -> None:
        """PX-6: nothing stands in for Berkeley DB; that is said, and what cannot be is refused."""
        self.assertEqual(self.ask("non-bdb", "status"), (0, "disable\n"))
        self.assertEqual(self.ask("non-bdb", "disable"), (0, ""))
        self.assertEqual(read_main(self.queue.directory).values["non_bdb_migration_level"], "disable")
        self.assertEqual(self.ask("non-bdb", "enable-redirect"), (1, ""))
        self.assertIn("non-bdb enable-redirect: not offered", self.queue.logged()[-1])
        self.assertEqual(self.ask("non-bdb"), (1, ""))
        self.assertIn("usage: postfix non-bdb status", self.queue.logged()[-1])

    def test_nothing_to_do(self) -> None:
        """PX-2: post-install and upgrade-configuration say that there is nothing to do."""
        self.assertEqual(self.ask("post-install", "create-missing"), (0, ""))
        self.assertEqual(self.ask("upgrade-configuration"), (0, ""))
        self.assertEqual(["nothing to do" in line for line in self.queue.logged()], [True, True])
