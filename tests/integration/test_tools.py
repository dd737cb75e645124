"""postkick, postlock, qshape and posttls-finger beside a system that runs; comsat (PK-2, PLK, QP-1, TF-1, LO-7)."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping

from twisted.trial.unittest import SkipTest

from tests.integration.world import World, WorldCase, in_each_mode
from tests.kit import certificates
from tests.kit.mailsystem import ROOT, WORKERS2
from tests.kit.waiting import free_port, wait_for

USER = "nobody" if ROOT else pwd.getpwuid(os.geteuid()).pw_name


class ToolWorld(World):
    """It offers TLS; nobody listens for down.example at first; test.example has mailboxes."""

    def prepare(self) -> None:
        self.dead = free_port()

    def main(self) -> Mapping[str, str]:
        return {
            "smtpd_tls_security_level": "may", "smtpd_tls_chain_files": "@CONFIG@/chain.pem", "biff": "yes",
            "transport_maps": f"inline:{{down.example=smtp:[127.0.0.1]:{self.dead}}}",
            "mail_spool_directory": "@DIR@/mail", "minimal_backoff_time": "300s", "queue_run_delay": "300s",
        }  # fmt: skip

    def tables(self) -> Mapping[str, str]:
        certificate, key = certificates.leaf("mx.test.example")
        return {"chain.pem": key.decode() + certificate.decode(), "ca.pem": certificates.authority().decode()}

    def furnish(self) -> None:
        os.mkdir(f"{self.system.directory}/mail")
        os.chmod(f"{self.system.directory}/mail", 0o1777)


@in_each_mode
class Tools(WorldCase):
    world_class = ToolWorld
    world: ToolWorld

    def test_queue(self) -> None:
        """QP-1, PK-2: mail that waits is counted by its domain, and tried again when the queue manager is told so."""
        self.world.send("user@down.example")
        line = wait_for(self.waiting, self.system.told)
        self.assertEqual(line[:3], ["down.example", "1", "1"])
        mark = self.system.mark()
        if not self.world.real:  # whose queue manager at times closes before postkick has written all, which ends it
            self.assertEqual(self.system.ask("postkick", "public", "qmgr", "F"), "")
            self.assertLogged(r"to=<user@down\.example>.*status=deferred", mark)
        self.system.ask("postsuper", "-d", "ALL")

    def waiting(self) -> list[str]:
        lines = [line.split() for line in self.system.ask("qshape", "deferred").splitlines()]
        return next((line for line in lines if line[0] == "down.example"), [])

    def test_lock(self) -> None:
        """PLK: the lock file is there while the command runs."""
        box = f"{self.system.directory}/box"
        told = self.system.command("postlock", "-l", "dotlock", box, "sh", "-c", f"test -e {box}.lock && exit 3")
        self.assertEqual((told.code, told.err, os.path.exists(box + ".lock")), (3, "", False))

    def test_finger(self) -> None:
        """TF-1: by name, with the authority that signed."""
        place = f"[127.0.0.1]:{self.world.port}"
        options = ("-F", f"{self.system.config}/ca.pem", "-l", "secure", "-r", "1")
        told = self.finger(*options, place, "mx.test.example")
        relay = f"127.0.0.1[127.0.0.1]:{self.world.port}"
        self.assertIn(f"posttls-finger: {relay}: matched peername: mx.test.example\n", told)
        self.assertIn(f"posttls-finger: Verified TLS connection established to {relay}: TLSv1.", told)
        self.assertIn("posttls-finger: > EHLO mx.test.example\n", told)
        if self.mode != WORKERS2:  # the other process may be asked, which does not know the session
            self.assertIn(f"posttls-finger: {relay}: Reusing old session\n", told)
        told = self.finger(f"[127.0.0.1]:{self.world.dead}")
        self.assertIn("Connection refused\n", told)

    def finger(self, *words: str) -> str:
        """It has no -c of that kind: the configuration is in the environment."""
        command = f'MAIL_CONFIG={self.system.config} exec {self.system.program("posttls-finger")} "$@" 2>&1'
        told = self.system.command("postlock", f"{self.system.directory}/box", "sh", "-c", command, "sh", *words)
        self.assertEqual(told.code, 0)
        return told.out

    def test_comsat(self) -> None:
        """LO-7: who has new mail, and where it begins in the mailbox."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as comsat:
            try:
                comsat.bind(("127.0.0.1", socket.getservbyname("biff", "udp")))
            except OSError as error:
                raise SkipTest(f"no port for a comsat service: {error}") from None
            comsat.settimeout(20)
            self.world.send(f"{USER}@test.example")
            self.assertEqual(comsat.recv(100), f"{USER}@0\0".encode())
            size = os.path.getsize(f"{self.system.directory}/mail/{USER}")
            self.world.send(f"{USER}@test.example")
            self.assertEqual(comsat.recv(100), f"{USER}@{size}\0".encode())
            os.unlink(f"{self.system.directory}/mail/{USER}")
