"""OpenDKIM as a milter that signs, and another that verifies what the first has signed, without any DNS."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile

from twisted.trial.unittest import SkipTest

from tests.kit.waiting import free_port, listens, wait_for

DOMAIN, SELECTOR = "signed.example", "sel"
_COMMON = "Syslog no\nUMask 002\nBackground no\nOversignHeaders From\nRequireSafeKeys no\n"


class OpenDkim:
    """`signer` and `verifier` are what main.cf calls them. SkipTest where it is not installed."""

    def __init__(self) -> None:
        if not shutil.which("opendkim") or not shutil.which("openssl"):
            raise SkipTest("needs opendkim and openssl")
        self._folder = tempfile.TemporaryDirectory(prefix="pytwfix-dkim-")
        self._children: list[subprocess.Popen[bytes]] = []
        key = f"{self._folder.name}/key.pem"
        self._openssl("genrsa", "-out", key, "2048")
        os.chmod(key, 0o600)
        public = self._openssl("rsa", "-in", key, "-pubout", "-outform", "PEM")
        text = "".join(line for line in public.splitlines() if "---" not in line)
        self._write("dns", f"{SELECTOR}._domainkey.{DOMAIN} v=DKIM1; k=rsa; p={text}\n")
        signing = f"Mode s\nDomain {DOMAIN}\nSelector {SELECTOR}\nKeyFile {key}\nCanonicalization relaxed/simple\n"
        self.signer = self._start("sign", signing + "InternalHosts 127.0.0.0/8\n")
        verifying = f"Mode v\nAuthservID mx.test.example\nAlwaysAddARHeader yes\nTestDNSData {self._folder.name}/dns\n"
        self.verifier = self._start("verify", verifying + "InternalHosts 203.0.113.1\n")

    def close(self) -> None:
        for child in self._children:
            child.terminate()
            child.wait(10)
        self._folder.cleanup()

    @staticmethod
    def _openssl(*words: str) -> str:
        return subprocess.run(["openssl", *words], capture_output=True, text=True, check=True).stdout

    def _write(self, name: str, text: str) -> str:
        path = f"{self._folder.name}/{name}"
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def _start(self, name: str, text: str) -> str:
        port = free_port()
        path = self._write(f"{name}.conf", f"{_COMMON}{text}Socket inet:{port}@127.0.0.1\n")
        with open(f"{self._folder.name}/{name}.out", "wb") as output:
            self._children.append(subprocess.Popen(["opendkim", "-f", "-x", path], stdout=output, stderr=output))
        wait_for(lambda: listens(port))
        return f"inet:127.0.0.1:{port}"
