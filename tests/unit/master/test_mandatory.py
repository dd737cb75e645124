"""Values without which nothing works (MC-9, DN-2, LG-17)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master.mandatory import check_mandatory
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.snapshot import Snapshot

WRONG = {
    ("myhostname", "bad..host"): "file /x: parameter myhostname: bad parameter value: bad..host",
    ("mydomain", "-x"): "file /x: parameter mydomain: bad parameter value: -x",
    ("inet_protocols", "ipv5"): 'unknown inet_protocols value "ipv5" in "ipv5"',
    ("inet_interfaces", "999.1.1.1"): "config variable inet_interfaces: host not found: 999.1.1.1",
    ("myorigin", "b.example # x"): "myorigin parameter setting must not contain multiple values: b.example # x",
    ("mynetworks_style", "bogus"): 'unknown mynetworks mask style value "bogus" in "bogus"',
    ("syslog_facility", "bogus"): "file /x: parameter syslog_facility: unrecognized value: bogus",
    ("default_privs", "no such"): "file /x: parameter default_privs: unknown user name value: no such",
    ("default_privs", "root"): "file /x: parameter default_privs: user root has privileged user ID",
    ("import_environment", "{"): "import_environment: missing '}' in \"{\"",
    ("maillog_file", "/etc/x"): "maillog_file value '/etc/x' does not match any prefix in maillog_file_prefixes (/var, "
                                "/dev/stdout)",
}  # fmt: skip


class Mandatory(SynchronousTestCase):
    def test_wrong(self) -> None:
        """The words are those of a running Postfix."""
        for (name, value), text in WRONG.items():
            with self.assertRaises(SettingsError) as found:
                check_mandatory(Snapshot({"myhostname": "a.example", name: value}), "/x")
            self.assertEqual(text, str(found.exception))

    def test_right(self) -> None:
        for main in ({}, {"myhostname": "localhost"}, {"maillog_file": "/var/log/x"}, {"inet_interfaces": "127.0.0.1"}):
            check_mandatory(Snapshot(main), "/x")
