"""Levels of TLS on the server side, as a running Postfix takes them (SD-42)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.accept.smtpd.settings import SmtpdSettings
from pytwfix.accept.smtpd.tls import ServerTls
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.snapshot import Snapshot
from tests.kit.smtpclient import smtpd_host


class ServerLevels(SynchronousTestCase):
    def test_levels(self) -> None:
        """SD-42: what a server cannot do is encrypt, which is said; it is never less."""
        for text, level, said in (
            ("", "", False), ("MAY", "may", False), ("encrypt", "encrypt", False), ("None", "none", False),
            ("verify", "encrypt", True), ("secure", "encrypt", True), ("Fingerprint", "encrypt", True),
        ):  # fmt: skip
            host = smtpd_host()
            cfg = Snapshot({"smtpd_tls_security_level": text}).group(SmtpdSettings)
            self.assertEqual(cfg.smtpd_tls_security_level, level)
            self.assertEqual(ServerTls(host, cfg).mandatory, level == "encrypt")
            line = f'smtpd_tls_security_level: unsupported TLS level "{text}", using "encrypt"'
            self.assertEqual(any(line in one for one in host.log.lines), said)

    def test_invalid(self) -> None:
        """SD-42: the service does not start."""
        for text in ("on", "dane", "dane-only", "yes"):
            cfg = Snapshot({"smtpd_tls_security_level": text}).group(SmtpdSettings)
            error = self.assertRaises(SettingsError, lambda cfg=cfg: cfg.smtpd_tls_security_level)
            self.assertEqual(str(error), f'Invalid TLS level "{text}"')
