"""master/secrets.py: files that perhaps only root may read."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.ipc import methods
from pytwfix.ipc.link import Link
from pytwfix.master import secrets
from pytwfix.master.secrets import Vault, named_paths, reader
from tests.kit.channels import Pair
from tests.kit.host import InstantThreads
from tests.unit.master.test_plan import plan_of

MAIN = """\
smtpd_tls_chain_files = /etc/k.pem, /etc/c.pem
virtual_alias_maps = hash:/etc/virtual, proxy:ldap:$meta_directory/ldap.cf
smtp_sasl_password_maps = unionmap:{static:x, lmdb:/etc/passwd}
keys = /etc/keys
meta_directory = /etc/meta
smtp_tls_key_file = ${keys}/key
"""
MASTER = """\
smtp inet n - n - - smtpd -o smtpd_tls_key_file=/etc/other.pem
policy unix - n n - - spawn user=nobody argv=/usr/bin/policy /etc/policy.cf
"""


class Paths(SynchronousTestCase):
    """HOUSE 3: what main.cf and master.cf name, and nothing else."""

    def test_named(self) -> None:
        found = named_paths(plan_of(self, MAIN, MASTER))
        for path in (
            "/etc/k.pem", "/etc/c.pem", "/etc/virtual", "/etc/meta/ldap.cf", "/etc/passwd", "/etc/keys/key",
            "/etc/other.pem", "/etc/policy.cf",
        ):  # fmt: skip
            self.assertIn(path, found)
        self.assertNotIn("/etc/shadow", found)


class Reading(SynchronousTestCase):
    def _vault(self, path: str) -> Vault:
        return Vault(plan_of(self, f"smtpd_tls_key_file = {path}"))

    def test_read(self) -> None:
        path = os.path.abspath(self.mktemp())
        with open(path, "wb") as file:
            file.write(b"key")
        self.assertEqual(self._vault(path).read(path), b"key")
        self.assertRaises(PermissionError, self._vault("/etc/other").read, path)

    def test_not_a_small_file(self) -> None:
        """Devices, folders and what is too large are not read."""
        folder = os.path.abspath(self.mktemp())
        os.mkdir(folder)
        self.assertRaises(OSError, self._vault(folder).read, folder)
        self.assertRaises(OSError, self._vault("/dev/zero").read, "/dev/zero")
        self.patch(secrets, "LIMIT", 2)
        path = f"{folder}/file"
        with open(path, "wb") as file:
            file.write(b"key")
        self.assertRaises(OSError, self._vault(path).read, path)

    def test_a_child_reads(self) -> None:
        """What it can read itself it does not ask for."""
        path = os.path.abspath(self.mktemp())
        with open(path, "wb") as file:
            file.write(b"key")
        read = reader(InstantThreads(), Link("master"))
        self.assertEqual(self.successResultOf(read(path)), b"key")
        self.failureResultOf(read(path + "x"), FileNotFoundError)

    def test_a_child_asks(self) -> None:
        """What is closed to it comes from the master."""
        path = os.path.abspath(self.mktemp())
        with open(path, "wb") as file:
            file.write(b"key")
        pair = Pair({methods.SECRET: self._vault(path).read})
        link = Link("master")
        link.attach(pair.near)

        class Closed:
            def run(self, function: Any, *arguments: Any) -> Any:
                return fail(PermissionError(13, "Permission denied", arguments[0]))

        asked = reader(Closed(), link)(path)
        other = reader(Closed(), link)("/etc/shadow")
        pair.pump()
        self.assertEqual(self.successResultOf(asked), b"key")
        self.failureResultOf(other, PermissionError)
