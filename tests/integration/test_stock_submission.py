"""submission and submissions as the stock master.cf files have them, our own and Debian's: their comment signs are
taken off, and other clients come: swaks, and a real posttls-finger (SD-41, SD-42, MX-2)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from twisted.trial.unittest import SkipTest

from tests.integration.test_tls import TlsWorld
from tests.integration.world import WorldCase, in_each_mode, new_token
from tests.kit.dovecot import PASSWORD, USER, Dovecot
from tests.kit.mailsystem import listener
from tests.kit.waiting import free_port

OURS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conf", "master.cf")
DEBIANS = "/usr/share/postfix/master.cf.dist"


def service(path: str, name: str, port: int) -> str:
    """A commented service of a master.cf, without the comment signs, on a port of the loopback and without chroot."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = re.search(rf"(?m)^#{name} +inet .*\n(?:#  .*\n)+", text)
    if found is None:
        raise AssertionError(f"{path} has no {name}")
    lines = [line[1:] for line in found.group().splitlines()]
    options = [line for line in lines[1:] if line.startswith("  -o ")]
    head = re.sub(rf"^{name} +inet +(\S+) +(\S+) +\S+", rf"127.0.0.1:{port} inet \1 \2 n", lines[0])
    return "\n".join([head, *options])


class StockWorld(TlsWorld):
    """Four services: two of each file."""

    def prepare(self) -> None:
        super().prepare()
        self.dovecot = Dovecot()
        self.closers.append(self.dovecot.close)
        self.files = [path for path in (OURS, DEBIANS) if os.path.exists(path)]
        self.at = {(path, name): free_port() for path in self.files for name in ("submission", "submissions")}

    def main(self) -> Mapping[str, str]:
        return {
            **super().main(), "transport_maps": "", "smtpd_sasl_path": self.dovecot.socket, "mynetworks": "192.0.2.1",
            "smtpd_sasl_authenticated_header": "yes", "smtpd_sasl_type": "dovecot",
        }  # fmt: skip

    def services(self) -> Sequence[str]:
        return [listener(self.port), *(service(path, name, port) for (path, name), port in self.at.items())]

    def ports(self) -> Sequence[int]:
        return [self.port, *self.at.values()]


@in_each_mode
class Stock(WorldCase):
    world_class = StockWorld
    world: StockWorld

    def swaks(self, port: int, *options: str, code: int = 0) -> tuple[str, str]:
        """(what it says, the token of its mail)."""
        program = shutil.which("swaks")
        if not program:
            raise SkipTest("swaks is not installed")
        token = new_token()
        argv = [program, "--server", f"127.0.0.1:{port}", "--from", USER, "--to", "u@far.example"]
        argv += ["--ehlo", "me.example", "--header", f"X-Token: {token}", "--body", "text", *options]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return done.stdout, token

    def test_submission(self) -> None:
        """SD-42: mail of a user who logs in under TLS; its log has the service's own name."""
        for path in self.world.files:
            for name, tls in (("submission", "--tls"), ("submissions", "--tlsc")):
                mark = self.system.mark()
                for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
                    login = ("--auth", mechanism, "--auth-user", USER, "--auth-password", PASSWORD)
                    said, token = self.swaks(self.world.at[path, name], tls, *login)
                    self.assertIn("250 2.0.0 Ok: queued as", said)
                    text = self.world.got(token).text
                    self.assertIn(f"(Authenticated sender: {USER})", text)
                    self.assertIn("with ESMTPSA id", text)
                    client = rf"client=\S+, sasl_method={mechanism}, sasl_username={USER}$"
                    self.assertLogged(rf"postfix/{name}/smtpd\[\d+\]: \w+: {client}", mark)

    def test_who_may_not(self) -> None:
        """SD-42: nobody without TLS, nobody without a login, nobody with a wrong password."""
        for path in self.world.files:
            port = self.world.at[path, "submission"]
            said, _ = self.swaks(port, code=23)
            self.assertIn("530 5.7.0 Must issue a STARTTLS command first", said)
            said, _ = self.swaks(port, "--tls", code=24)
            self.assertRegex(said, r"[45]54 [45]\.7\.1 .*(Access denied|Relay access denied)")
        login = ("--auth", "PLAIN", "--auth-user", USER, "--auth-password", "no")
        said, _ = self.swaks(port, "--tls", *login, code=28)
        self.assertIn("535 5.7.8 Error: authentication failed", said)

    def test_finger(self) -> None:
        """SD-42, TF-1: a real posttls-finger trusts our certificate."""
        program = shutil.which("posttls-finger", path="/usr/sbin")
        if not program:
            raise SkipTest("no real posttls-finger is installed")
        for (_path, name), port in self.world.at.items():
            argv = [program, "-c", "-l", "secure", "-F", self.world.authority, "-d", "sha256"]
            argv += ["-w"] if name == "submissions" else []
            argv += [f"[127.0.0.1]:{port}", "mx.test.example"]
            environment = {**os.environ, "MAIL_CONFIG": self.system.config}
            done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=environment)
            said = done.stdout + done.stderr
            self.assertIn(f"Verified TLS connection established to 127.0.0.1[127.0.0.1]:{port}: TLSv1.3 with", said)
            self.assertIn("matched peername: mx.test.example", said)
