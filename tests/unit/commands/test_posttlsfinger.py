"""commands/posttlsfinger.py, fingerdialog.py, fingertrust.py. Sockets are pairs; TLS is done over memory."""

from __future__ import annotations

import io
import socket
from contextlib import redirect_stderr

from cryptography import x509
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import posttlsfinger
from pytwfix.commands.fingerdialog import Ended, Peer
from pytwfix.commands.fingertrust import Wanted, chain_of, chain_text, judge
from pytwfix.commands.posttlsfinger import Request
from pytwfix.contracts.dns import TLSA
from pytwfix.net.tls.peernames import fingerprints
from pytwfix.net.tls.verdict import listen, verdict_of
from tests.kit import certificates


class Options(SynchronousTestCase):
    """TF-1: the command line."""

    def request(self, *words: str) -> Request:
        asked: list[Request] = []
        from pytwfix.commands import fingering

        self.patch(fingering, "finger", lambda request, say: asked.append(request))
        self.said = io.StringIO()
        with redirect_stderr(self.said):
            posttlsfinger.main(list(words))
        return asked[0]

    def test_defaults(self) -> None:
        """TF-1: no CA is trusted, DNSSEC is asked for, everything is looked up by DNS."""
        found = self.request("example.com", "a", "b")
        self.assertEqual(
            (found.destination, found.match, found.level, found.lmtp), ("example.com", ("a", "b"), "", False)
        )
        self.assertEqual((found.connect_patience, found.patience, found.delay, found.most), (30, 30, 0, 5))
        self.assertEqual(found.overrides["smtp_tls_CAfile"], "")
        self.assertEqual(found.overrides["smtp_dns_support_level"], "dnssec")
        self.assertEqual(found.logged, {"summary", "peercert", "certmatch", "untrusted"})

    def test_parameters(self) -> None:
        """TF-1: options are the client's parameters, lmtp's with -S; a key alone has its certificate with it."""
        found = self.request(
            "-S", "-p", ">=TLSv1.3", "-g", "high", "-K", "k.pem", "-f", "-R", "smtp", "-o", "a = b", "x"
        )
        expected = {
            "lmtp_tls_mandatory_protocols": ">=TLSv1.3", "lmtp_tls_mandatory_ciphers": "high", "a": "b",
            "lmtp_tls_key_file": "k.pem", "lmtp_tls_cert_file": "k.pem", "use_srv_lookup": "smtp",
            "lmtp_tls_force_insecure_host_tlsa_lookup": "yes",
        }  # fmt: skip
        self.assertEqual({name: found.overrides[name] for name in expected}, expected)
        self.assertEqual(self.request("-A", "x", "-A", "y", "z").anchors, ("x", "y"))
        self.assertEqual(self.request("-L", "none,cache", "x").logged, {"untrusted", "cache"})
        self.request("-L", "foo", "x")
        self.assertEqual(self.said.getvalue(), 'posttls-finger: warning: unknown -L option value "foo" in "foo"\n')

    def test_mistakes(self) -> None:
        """TF-1: 1 for a wrong command line."""
        for words in (
            (),
            ("-z",),
            ("-l", "foo", "x"),
            ("-H", "a", "-k", "b", "x"),
            ("-t", "x", "y"),
            ("-o", "x", "y"),
            ("-X", "x"),
        ):
            with redirect_stderr(io.StringIO()):
                error = self.assertRaises(SystemExit, posttlsfinger.main, list(words))
            self.assertEqual(error.code, 1)


class Dialog(SynchronousTestCase):
    """TF-1: replies, and the ways in which there is none."""

    def setUp(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.addCleanup(self.theirs.close)
        self.said: list[str] = []
        self.peer = Peer(ours, "x[1]:25", self.said.append)
        self.addCleanup(self.peer.close)

    def test_replies(self) -> None:
        """TF-1: several lines, several replies at once, bytes that cannot be printed."""
        self.theirs.sendall(b"220-a\r\n220 b\x01\r\n250 c\n")
        self.assertEqual(self.peer.reply(5), (220, ["220-a", "220 b?"]))
        self.assertEqual(self.peer.ask("EHLO me", 5), (250, ["250 c"]))
        self.assertEqual(self.theirs.recv(100), b"EHLO me\r\n")
        self.assertEqual(self.said, ["< 220-a", "< 220 b?", "> EHLO me", "< 250 c"])

    def test_trouble(self) -> None:
        """TF-1: silence, an end, rubbish, a line without end."""
        self.assertIn("timed out", str(self.assertRaises(Ended, self.peer.reply, 0.01)))
        self.theirs.sendall(b"hello\r\n")
        self.assertIn("malformed reply: hello", str(self.assertRaises(Ended, self.peer.reply, 5)))
        self.theirs.close()
        self.assertIn("lost connection with x[1]:25", str(self.assertRaises(Ended, self.peer.reply, 5)))


class Trust(SynchronousTestCase):
    """TF-1, TL-3, TL-8: what a certificate is worth."""

    def handshake(self, trusted: bool = True) -> SSL.Connection:
        """Our side of a connection to a server for mx.example."""
        certificate, key = certificates.leaf("mx.example")
        server = SSL.Context(SSL.TLS_METHOD)
        from pytwfix.net.tls import material

        material.use_chains(server, (material.Chain(certificate, key),))
        client = SSL.Context(SSL.TLS_METHOD)
        if trusted:
            material.trust(client, certificates.authority(), "", False)
        listen(client, SSL.VERIFY_PEER)
        one, other = SSL.Connection(client, None), SSL.Connection(server, None)
        verdict_of(one)
        one.set_connect_state()
        other.set_accept_state()
        for _ in range(4):
            for this, that in ((one, other), (other, one)):
                try:
                    this.do_handshake()
                except SSL.WantReadError:
                    pass
                try:
                    that.bio_write(this.bio_read(1 << 16))
                except SSL.WantReadError:
                    pass
        return one

    def judged(self, level: str, *match: str, trusted: bool = True, tlsa: tuple[TLSA, ...] = ()) -> list[str]:
        connection = self.handshake(trusted)
        self.leaf = chain_of(connection)[0]
        opinion = judge(connection, Wanted(level, match, "sha256", tlsa, ("mx.example",)), "x[1]:25")
        return [line for kind, line in opinion.lines if kind != "peercert"]

    def assertTrust(self, lines: list[str], first: str, word: str) -> None:
        self.assertEqual(lines[:-1], [first] if first else [])
        self.assertTrue(lines[-1].startswith(f"{word} TLS connection established to x[1]:25: TLSv1."), lines[-1])

    def test_names(self) -> None:
        """TL-3: a name of a trusted certificate, another's name, nobody's certificate."""
        self.assertTrust(self.judged("secure", "mx.example"), "x[1]:25: matched peername: mx.example", "Verified")
        text = "server certificate verification failed for x[1]:25: num=62:hostname mismatch"
        self.assertTrust(self.judged("secure", "other.example"), text, "Untrusted")
        text = "certificate verification failed for x[1]:25: untrusted issuer"
        self.assertTrust(self.judged("verify", "mx.example", trusted=False), text, "Untrusted")
        self.assertTrust(self.judged("encrypt"), "", "Trusted")
        self.assertTrust(self.judged("may", trusted=False), "", "Untrusted")

    def test_fingerprints(self) -> None:
        """TL-4: whoever signed it; of the certificate or of its key."""
        self.judged("may")
        for one in fingerprints(self.leaf, "sha256"):
            text = f"x[1]:25: Matched fingerprint: {one.replace(':', '')}"
            self.assertTrust(self.judged("fingerprint", one.lower(), trusted=False), text, "Verified")
        text = "server certificate verification failed for x[1]:25: num=1:unspecified certificate verification error"
        self.assertTrust(self.judged("fingerprint", "00:11"), text, "Untrusted")

    def test_dane(self) -> None:
        """TL-8: by its TLSA record alone."""
        self.judged("may")
        own = bytes.fromhex(fingerprints(self.leaf, "sha256")[0].replace(":", ""))
        lines = self.judged("dane", trusted=False, tlsa=(TLSA(3, 0, 1, own),))
        self.assertTrust(lines, "x[1]:25: Matched DANE TLSA record", "Verified")
        self.assertEqual(self.judged("dane", tlsa=(TLSA(3, 0, 1, bytes(32)),))[-1].split()[0], "Untrusted")

    def test_chain(self) -> None:
        """TF-1: -C prints what the server sent."""
        chain = chain_of(self.handshake())
        text = chain_text(chain, "sha256")
        self.assertIn(" 0 subject: /CN=mx.example\n    issuer: /CN=Test CA\n   cert digest=", text)
        self.assertEqual(x509.load_pem_x509_certificate(text[text.index("-----B") :].encode()), chain[0])
