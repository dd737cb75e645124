"""Dovecot's auth server alone, for SMTP clients to log in."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile

from twisted.trial.unittest import SkipTest

from tests.kit.waiting import wait_for

USER, PASSWORD = "joe@test.example", "secret"
_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
auth_mechanisms = plain login cram-md5
disable_plaintext_auth = no
protocols =
ssl = no
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=plain {folder}/users
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service auth {{
  unix_listener {folder}/auth {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


class Dovecot:
    """`socket` is what smtpd_sasl_path is set to. SkipTest where it cannot run."""

    def __init__(self) -> None:
        if os.geteuid() != 0 or not shutil.which("dovecot"):
            raise SkipTest("needs root and dovecot")
        try:
            pwd.getpwnam("dovecot")
        except KeyError:
            raise SkipTest("dovecot has no account here") from None
        self._folder = tempfile.TemporaryDirectory(prefix="pytwfix-dovecot-")
        folder = self._folder.name
        os.chmod(folder, 0o755)
        self._write("dovecot.conf", _CONFIGURATION.format(folder=folder))
        self._write("users", f"{USER}:{{PLAIN}}{PASSWORD}\n")
        self.socket = f"{folder}/auth"
        self._child = subprocess.Popen(["dovecot", "-F", "-c", f"{folder}/dovecot.conf"], stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(self.socket))

    def _write(self, name: str, text: str) -> None:
        with open(f"{self._folder.name}/{name}", "w", encoding="ascii") as file:
            file.write(text)

    def close(self) -> None:
        self._child.terminate()
        self._child.wait(10)
        self._folder.cleanup()
