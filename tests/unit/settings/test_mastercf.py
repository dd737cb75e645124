"""master.cf (MX-1..MX-4)."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.mastercf import parse_entries, parse_services, read_services


class TestServices(SynchronousTestCase):
    def test_defaults(self) -> None:
        """MX-1: what - means in each field."""
        (one,) = parse_services("x unix - - - - - smtp\n")
        self.assertEqual((one.name, one.type, one.command), ("x", "unix", "smtp"))
        self.assertEqual((one.private, one.unprivileged, one.chroot), (True, True, False))
        self.assertEqual((one.wakeup, one.wakeup_used_only, one.process_limit), (0, False, None))
        self.assertTrue(parse_services("x unix - - - - - smtp", chroot=True)[0].chroot)

    def test_fields(self) -> None:
        """MX-1: wakeup with ?, limits, y and n."""
        (one,) = parse_services("tlsmgr unix n n y 1000? 0 tlsmgr")
        self.assertEqual((one.private, one.unprivileged, one.chroot), (False, False, True))
        self.assertEqual((one.wakeup, one.wakeup_used_only, one.process_limit), (1000, True, 0))

    def test_last_wins(self) -> None:
        """MX-2: of the same name and type the last counts; another type is another service."""
        found = parse_services("smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\nsmtp inet n - n - 2 smtpd\n")
        self.assertEqual([(one.type, one.process_limit) for one in found], [("unix", None), ("inet", 2)])

    def test_arguments(self) -> None:
        """MX-3: -o in its forms, -v, braces, continuation lines."""
        (one,) = parse_services(
            "127.0.0.1:10025 inet n - n - - smtpd -v\n  -o a=b -oc=d\n# comment\n  -o { e = f g } -vv\n"
            "  -o { r = check inline:{ {a@b = OK} } } { x  y } {} argv -o z=1\n"
        )
        self.assertEqual(one.overrides, {"a": "b", "c": "d", "e": "f g", "r": "check inline:{ {a@b = OK} }"})
        self.assertEqual(one.verbose, 3)
        self.assertEqual(one.arguments, ["x  y", "", "argv", "-o", "z=1"])
        self.assertEqual(one.line, 1)

    def test_errors(self) -> None:
        """MX-4: file, line and field."""
        for text, message in (
            ("\nx unix - - - -\n", "file m: line 2: bad field count"),
            ("x tcp n - n - - smtpd", 'm: line 1: field "type": bad value: "tcp"'),
            ("x inet y - n - - smtpd", 'm: line 1: field "private": bad value: "y"'),
            ("x unix z - n - - smtp", 'm: line 1: field "private": bad value: "z"'),
            ("x unix - - n 5x - smtp", 'm: line 1: field "wakeup": bad value: "5x"'),
            ("x unix - - n - -1 smtp", 'm: line 1: field "process_limit": bad value: "-1"'),
            ("x unix - - n - - -", 'm: line 1: field "command" has no default value'),
            ("x unix - - n - - smtp -o a", "m: line 1: missing '=' after attribute name: \"a\""),
        ):
            self.assertEqual(str(self.assertRaises(SettingsError, parse_services, text, "m")), message)

    def test_warnings(self) -> None:
        """MX-3: braces that do not match, a first line that begins with white space."""
        _entries, warnings = parse_entries("  x\ny unix - - n - - smtp { a {b}\n", "m")
        self.assertEqual(
            warnings,
            ['m: logical line must not start with whitespace: "  x"', "master.cf: missing '}' in \"{ a {b}\""],
        )

    def test_stock(self) -> None:
        """MA-12: the stock file has 25 services, in this order."""
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
        found = read_services(os.path.join(root, "conf", "master.cf"))
        self.assertEqual(
            " ".join(one.name for one in found),
            "smtp pickup cleanup qmgr tlsmgr rewrite bounce defer trace verify flush proxymap proxywrite smtp relay "
            "showq error retry discard local virtual lmtp anvil scache postlog",
        )
