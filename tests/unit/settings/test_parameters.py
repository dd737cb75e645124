"""Every declaration against the table of Postfix's parameters: name, kind, default, bounds (PR-1, PR-2, PR-4)."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

import pytwfix
from pytwfix.settings import deviations, registry
from pytwfix.settings.kinds import Parameter, SettingsError
from pytwfix.settings.snapshot import Snapshot

TABLE = os.path.join(os.path.dirname(__file__), "data", "parameters.tsv")
KINDS = {
    "str": "str", "str_fn": "str", "raw": "raw", "int": "int", "nint": "int", "long": "long",
    "bool": "bool", "nbool": "bool", "time": "time",
}  # fmt: skip
PREFIX = "smtpd_client_ipv4_prefix_length"
COMPUTED = ("myhostname", "mydomain", "mynetworks")


class Row:
    """A line of the table."""

    def __init__(self, line: str) -> None:
        self.name, self.kind, self.unit, minimum, maximum, self.default = line.rstrip("\n").split("\t")
        self.minimum = int(minimum or 0)
        self.maximum = int(maximum or 0)


def rows() -> dict[str, Row]:
    with open(TABLE, encoding="utf-8") as file:
        found = [Row(line) for line in file]
    return {row.name: row for row in found}


def ours() -> dict[str, Parameter]:
    return {name: one for name, one in registry.parameters().items() if not name.startswith("pytwfix_")}


class TestDeclarations(SynchronousTestCase):
    def test_names(self) -> None:
        """PR-1: each of the 904 built-in names is declared, and no other but pytwfix_*."""
        self.assertEqual(set(ours()), set(rows()))
        self.assertEqual(len(ours()), 904)

    def test_kinds(self) -> None:
        """PR-2: the kind of each."""
        table = rows()
        wrong = {name: one.kind for name, one in ours().items() if one.kind != KINDS[table[name].kind]}
        self.assertEqual(wrong, {})

    def test_defaults(self) -> None:
        """PR-3: the default of each is Postfix's, or the list of deviations gives a reason."""
        table = rows()
        different = {name for name, one in ours().items() if one.default != table[name].default}
        self.assertEqual(different - set(COMPUTED), set(deviations.CHANGED))

    def test_bounds(self) -> None:
        """PR-4: minimum and maximum of each."""
        table = rows()
        wrong = {}
        for name, one in ours().items():
            if (one.minimum, one.maximum) != (table[name].minimum, table[name].maximum):
                wrong[name] = (one.minimum, one.maximum)
        self.assertEqual(wrong, {})

    def test_units(self) -> None:
        """MC-7: a time without a unit has that of the built-in default."""
        table = rows()
        wrong = {
            name: one.unit
            for name, one in ours().items()
            if one.kind == "time" and one.unit != (table[name].unit if len(table[name].unit) == 1 else "s")
        }
        self.assertEqual(wrong, {})

    def test_sentences(self) -> None:
        """Each has its sentence."""
        self.assertEqual([name for name, one in registry.parameters().items() if not one.doc.endswith(".")], [])

    def test_modules(self) -> None:
        """No room's settings module is missing from the registry, and all are declared in one place."""
        package = os.path.dirname(pytwfix.__file__)
        found = set()
        for folder, _folders, files in os.walk(package):
            if "settings.py" in files:
                found.add(os.path.relpath(folder, package).replace(os.sep, ".") + ".settings")
        self.assertEqual({name for name in registry.MODULES if not name.startswith("settings.")}, found)
        names = [one.name for group in registry.groups() for one in group.declared()]
        self.assertEqual(len(names), len(set(names)))

    def test_defaults_are_valid(self) -> None:
        """MC-7: all defaults evaluate, at the lowest and at the current level."""
        for values in ({}, {"compatibility_level": "3.11"}):
            snapshot = Snapshot(values)
            for group in registry.groups():
                snapshot.group(group).validate()

    def test_computed(self) -> None:
        """The names whose default is made on this machine are declared."""
        self.assertEqual(registry.COMPUTED - set(registry.parameters()), frozenset())
        self.assertEqual(registry.COMPUTED - set(COMPUTED), set(deviations.COMPUTED))


class TestMirror(SynchronousTestCase):
    def test_lmtp(self) -> None:
        """smtp_ and lmtp_ come from one declaration, with the client's attributes and LMTP's own defaults."""
        from pytwfix.deliver.smtp.settings import LmtpSettings, SmtpSettings

        snapshot = Snapshot({"smtp_mail_timeout": "7s", "lmtp_mail_timeout": "9s", "lmtp_lhlo_name": "me"})
        lmtp = snapshot.group(LmtpSettings)
        self.assertEqual(lmtp.smtp_mail_timeout, 9)
        self.assertEqual(snapshot.group(SmtpSettings).smtp_mail_timeout, 7)
        self.assertEqual(lmtp.smtp_helo_name, "me")
        self.assertEqual(lmtp.smtp_tcp_port, "24")
        self.assertFalse(lmtp.lmtp_assume_final)
        self.assertTrue(lmtp.smtp_always_send_ehlo)


class TestGroup(SynchronousTestCase):
    def test_read_only(self) -> None:
        """A group is a view that nobody changes."""
        from pytwfix.settings.common import CommonSettings

        common = Snapshot({}).group(CommonSettings)
        self.assertRaises(AttributeError, setattr, common, "mail_name", "x")

    def test_validate(self) -> None:
        """MC-7: what is wrong is said in Postfix's words."""
        from pytwfix.accept.smtpd.settings import SmtpdSettings

        for name, value, text in (
            ("message_size_limit", "abc", "bad numerical configuration: message_size_limit = abc"),
            ("header_size_limit", "0", "invalid header_size_limit parameter value 0 < 1"),
            ("smtpd_client_ipv4_prefix_length", "33", f"invalid {PREFIX} parameter value 33 > 32"),
            ("header_size_limit", "99999999999", "bad numerical configuration: header_size_limit = 99999999999"),
            ("helpful_warnings", "maybe", "bad boolean configuration: helpful_warnings = maybe"),
            ("smtputf8_enable", "$x", "bad boolean configuration: smtputf8_enable = "),
            ("mail_name", "", "bad string length 0 < 1: mail_name = "),
            ("ipc_timeout", "3 parsecs", "parameter ipc_timeout: bad time value or unit: 3 parsecs"),
            ("ipc_timeout", "1H", "parameter ipc_timeout: bad time value or unit: 1H"),
            ("ipc_timeout", "9999999w", "parameter ipc_timeout: bad time value or unit: 9999999w"),
            ("ipc_timeout", "0", "invalid ipc_timeout: 0 (min 1)"),
        ):
            error = self.assertRaises(SettingsError, Snapshot({name: value}).group(SmtpdSettings).validate)
            self.assertEqual(str(error), text)

    def test_values(self) -> None:
        """MC-7: typed values."""
        from pytwfix.accept.smtpd.settings import SmtpdSettings
        from pytwfix.bounce.settings import BounceSettings

        group = Snapshot({"smtpd_timeout": "2m", "maximal_queue_lifetime": "2", "header_size_limit": "$a", "a": "12"})
        self.assertEqual(group.group(SmtpdSettings).smtpd_timeout, 120)
        self.assertEqual(group.group(BounceSettings).maximal_queue_lifetime, 2 * 86400)
        self.assertEqual(group.group(SmtpdSettings).header_size_limit, 12)
        self.assertEqual(Snapshot({"smtpd_timeout": "${stress?{1}:{2}}m"}).group(SmtpdSettings).smtpd_timeout, 120)
        self.assertIs(Snapshot({"soft_bounce": "YES"}).group(BounceSettings).soft_bounce, True)
