"""STARTTLS, where we are the server and where we are the client (TL-*, SM-*, LG-11)."""

from __future__ import annotations

import os
import shutil
import smtplib
import ssl
import tempfile
from collections.abc import Mapping, Sequence

from tests.integration.world import World, WorldCase, in_each_mode, new_token
from tests.kit.certificates import authority, leaf
from tests.kit.mailsystem import listener
from tests.kit.sinks import Received, Sink
from tests.kit.waiting import free_port


class TlsWorld(World):
    """Listeners that offer TLS, demand it, begin with it; a sink with a certificate, and one without."""

    def prepare(self) -> None:
        self.must, self.wrapped = free_port(), free_port()
        self.folder = tempfile.mkdtemp(prefix="pytwfix-tls-")
        os.chmod(self.folder, 0o755)
        self.chain = self.pem("chain.pem", *reversed(leaf("mx.test.example")))
        self.authority = self.pem("ca.pem", authority())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem("sink.pem", *reversed(leaf("sink.example"))))
        self.tls_sink = Sink(tls=context)
        self.closers += [self.tls_sink.close, lambda: shutil.rmtree(self.folder)]

    def pem(self, name: str, *parts: bytes) -> str:
        path = f"{self.folder}/{name}"
        with open(path, "wb") as file:
            file.write(b"".join(parts))
        return path

    def main(self) -> Mapping[str, str]:
        encrypted, plain = f"[127.0.0.1]:{self.tls_sink.port}", f"[127.0.0.1]:{self.sink.port}"
        names = {"may": "smtp", "encrypted": "encrypt", "good": "secure", "bad": "other"}
        routes = " ".join(f"{{{name}.example={transport}:{encrypted}}}" for name, transport in names.items())
        return {
            "smtpd_tls_chain_files": self.chain, "smtpd_tls_security_level": "may", "smtpd_tls_loglevel": "1",
            "smtpd_tls_received_header": "yes", "smtp_tls_security_level": "may", "smtp_tls_loglevel": "1",
            "smtp_tls_CAfile": self.authority,
            "transport_maps": f"inline:{{ {routes} {{plain.example=encrypt:{plain}}} }}",
        }  # fmt: skip

    def services(self) -> Sequence[str]:
        return [
            listener(self.port),
            listener(self.must, "smtpd_tls_security_level=encrypt"),
            listener(self.wrapped, "smtpd_tls_wrappermode=yes"),
            "encrypt unix - - n - - smtp -o smtp_tls_security_level=encrypt",
            "secure unix - - n - - smtp -o smtp_tls_security_level=secure -o smtp_tls_secure_cert_match=sink.example",
            "other unix - - n - - smtp -o smtp_tls_security_level=secure -o smtp_tls_secure_cert_match=other.example",
        ]

    def ports(self) -> Sequence[int]:
        return [self.port, self.must, self.wrapped]

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)


class TlsCase(WorldCase):
    """Tests in a TlsWorld."""

    world_class = TlsWorld

    def tls_world(self) -> TlsWorld:
        world = self.world
        assert isinstance(world, TlsWorld)
        return world


@in_each_mode
class TlsServer(TlsCase):
    """STARTTLS and TLS from the start, offered by us. Clients check our certificate."""

    def deliver(self, client: smtplib.SMTP) -> Received:
        token = new_token()
        client.sendmail("a@there.example", ["user@far.example"], f"X-Token: {token}\r\n\r\nsecret\r\n")
        return self.world.got(token)

    def starttls(self, port: int) -> smtplib.SMTP:
        client = smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=30)
        self.addCleanup(client.close)
        client._host = "mx.test.example"  # type: ignore[attr-defined]  # the name that the certificate must have
        client.starttls(context=self.tls_world().client_context())
        return client

    def test_starttls(self) -> None:
        """SD-3, TL-*: the session goes on encrypted, from a new EHLO; Received: and log say so."""
        mark = self.system.mark()
        client = self.starttls(self.world.port)
        client.ehlo()
        self.assertFalse(client.has_extn("starttls"))
        message = self.deliver(client)
        self.assertIn("(using TLSv1.3 with cipher TLS_", message.text)
        self.assertIn("with ESMTPS id", message.text)
        self.assertLogged(r"Anonymous TLS connection established from unknown\[127\.0\.0\.1\]: TLSv1\.3 with", mark)

    def test_demanded(self) -> None:
        """SD-2: nothing but STARTTLS before TLS, where it is demanded."""
        with smtplib.SMTP("127.0.0.1", self.tls_world().must, timeout=30) as client:
            client.ehlo()
            self.assertEqual(client.docmd("MAIL", "FROM:<a@there.example>")[0], 530)
        self.deliver(self.starttls(self.tls_world().must))

    def test_wrapped(self) -> None:
        """smtpd_tls_wrappermode: TLS before the greeting."""
        context = self.tls_world().client_context()
        context.check_hostname = False
        with smtplib.SMTP_SSL("127.0.0.1", self.tls_world().wrapped, timeout=30, context=context) as client:
            self.assertIn("with ESMTPS id", self.deliver(client).text)

    def test_nothing_from_before(self) -> None:
        """TL-*: what was sent behind STARTTLS, before the handshake, is not taken for a command."""
        client = smtplib.SMTP("127.0.0.1", self.world.port, timeout=30)
        self.addCleanup(client.close)
        client.ehlo()
        client.send(b"STARTTLS\r\nMAIL FROM:<injected@there.example>\r\n")
        self.assertIn(client.getreply()[0], (220, 554))
        context = self.tls_world().client_context()
        assert client.sock is not None
        with self.assertRaises((OSError, smtplib.SMTPException)):
            client.sock = context.wrap_socket(client.sock, server_hostname="mx.test.example")
            client.file = None  # type: ignore[attr-defined]
            client.ehlo()
            if client.docmd("RCPT", "TO:<user@far.example>")[0] != 250:
                raise OSError("nothing was injected")


@in_each_mode
class TlsClient(TlsCase):
    """STARTTLS used by us."""

    def sent(self, domain: str) -> tuple[Received, str]:
        """(the message at the sink, the line of its delivery)."""
        world = self.tls_world()
        mark = self.system.mark()
        token = world.send(f"user@{domain}")
        message = world.got(token, world.tls_sink)
        self.assertLogged(rf"to=<user@{domain}>, .*status=sent", mark)
        return message, self.system.log(mark)

    def test_opportunistic(self) -> None:
        """SM-*, LG-11: used where it is offered; the certificate is not asked for a name."""
        message, log = self.sent("may.example")
        self.assertTrue(message.tls)
        self.assertRegex(log, r"rusted TLS connection established to 127\.0\.0\.1\[127\.0\.0\.1\]:\d+: TLSv1\.3")

    def test_encrypted(self) -> None:
        """TL-7: level encrypt goes where TLS is, and waits where it is not."""
        self.assertTrue(self.sent("encrypted.example")[0].tls)
        mark = self.system.mark()
        self.world.send("user@plain.example")
        line = self.assertLogged(r"to=<user@plain\.example>, .*status=deferred", mark)
        self.assertRegex(line, r"dsn=4\.7\.4, status=deferred \(TLS is required, but was not offered by host ")
        self.system.command("postsuper", "-d", "ALL")

    def test_verified(self) -> None:
        """TL-4: level secure, and the certificate has the name."""
        message, log = self.sent("good.example")
        self.assertTrue(message.tls)
        self.assertIn("Verified TLS connection established to ", log)

    def test_another_name(self) -> None:
        """TL-7: level secure, and the certificate has another name: nothing is sent."""
        mark = self.system.mark()
        token = self.world.send("user@bad.example")
        line = self.assertLogged(r"to=<user@bad\.example>, .*status=deferred", mark)
        self.assertRegex(line, r"dsn=4\.7\.5, status=deferred \(Server certificate not verified\)$")
        self.assertEqual(self.tls_world().tls_sink.all(token), [])
        self.system.command("postsuper", "-d", "ALL")
