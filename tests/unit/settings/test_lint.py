"""Which names may be set, changes to the files, and how they are printed (PC-7, PC-8, PC-10, DN-2, DN-3)."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.settings.edit import COMMENT_OUT, REMOVE, REPLACE, edit_main, edit_master
from pytwfix.settings.lint import Lint
from pytwfix.settings.maincf import parse_main
from pytwfix.settings.mastercf import parse_entries
from pytwfix.settings.show import Style, entry_line, fold


def lint(main: str, master: str = "smtp inet n - n - - smtpd\n") -> Lint:
    return Lint(parse_main(main, "/c/main.cf"), parse_entries(master)[0])


class TestScopes(SynchronousTestCase):
    """DN-3, DN-4, PC-8: what a service's options define is the service's own; answers of a real Postfix 3.7."""

    def test_used_by_main(self) -> None:
        """A name that main.cf mentions may stand in master.cf alone; another service's value does not define it."""
        found = lint("u3 = $u2\n", "x unix - - n - - smtp -o u2=1\ny unix - - n - - smtp -o u4=$u2\n")
        self.assertEqual(found.undefined(), ["/c/master.cf: undefined parameter: u2"])
        self.assertEqual(found.unused_in_master(), ["/c/master.cf: unused parameter: u4=$u2"])
        self.assertFalse(found.known("u2"))

    def test_doubles(self) -> None:
        """Entries of one service and type share their options, from the first that has some."""
        found = lint("", "x unix - - n - - smtp\nx unix - - n - - smtp -o biff=no\nx unix - - n - - smtp\n")
        self.assertEqual([found.overrides(entry) for entry in found.entries], [{}, {"biff": "no"}, {"biff": "no"}])

    def test_client_tables(self) -> None:
        """MT-14: parameters of a client are read where its table is named, behind macros and in braces too."""
        master = (
            "x unix - - n - - smtp -o mydestination=unionmap:{ldap:l} -o l_bind=no\ny unix - - n - - smtp -o l_bind=1\n"
        )
        self.assertEqual(lint("", master).unused_in_master(), ["/c/master.cf: unused parameter: l_bind=1"])
        self.assertEqual(lint("u = mysql:m\nmydestination = $u\nm_user = x\n").unused_in_main(), [])

    def test_braces(self) -> None:
        """MC-8: what is wrong with braces in a list of tables."""
        text = "main.cf: syntax error after '}' in \"{ a=b }c\""
        self.assertEqual(lint("mydestination = inline:{ a=b }c\n").syntax, [text])

    def test_classes(self) -> None:
        """DN-2: members of smtpd_restriction_classes, by the expanded value."""
        found = lint("smtpd_restriction_classes = aa, $cc\ncc = dd\naa = permit\n")
        self.assertEqual(found.undefined(), ["/c/main.cf: undefined parameter: dd"])


class TestLint(SynchronousTestCase):
    def test_user(self) -> None:
        """PC-8, DN-2: names that other values mention, and members of smtpd_restriction_classes."""
        found = lint(
            "l1 = a\nl2 = $l1\nmydestination = ${l2} $none\nzz = 1\nsmtpd_restriction_classes = c1, c2\nc1 = permit\n"
        )
        self.assertEqual(found.unused_in_main(), ["/c/main.cf: unused parameter: zz=1"])
        self.assertEqual(
            found.undefined(), ["/c/main.cf: undefined parameter: c2", "/c/main.cf: undefined parameter: none"]
        )
        self.assertEqual([name for name, kind in found.classes.items() if kind == "user"], ["l1", "l2", "c1"])

    def test_service(self) -> None:
        """DN-1: parameters of services in master.cf, and of none other."""
        found = lint(
            "maildrop_time_limit = 1\nnosvc_time_limit = 2\nspf_recipient_limit = 3\n",
            "maildrop unix - - n - - pipe user=x argv=y\nspf unix - - n - - spawn user=x argv=y\n",
        )
        self.assertEqual(found.classes["maildrop_destination_recipient_limit"], "service")
        self.assertEqual(
            found.unused_in_main(),
            [
                "/c/main.cf: unused parameter: nosvc_time_limit=2",
                "/c/main.cf: unused parameter: spf_recipient_limit=3",
            ],
        )

    def test_master(self) -> None:
        """PC-8: -o in master.cf."""
        found = lint("q = 1\n", "x unix - - n - - smtp -o a=$b -o mynetworks=$own$q$no -o own=1 -o service_name=z\n")
        self.assertEqual(
            found.undefined(), ["/c/master.cf: undefined parameter: b", "/c/master.cf: undefined parameter: no"]
        )
        self.assertEqual(found.unused_in_master(), ["/c/master.cf: unused parameter: a=$b"])
        self.assertEqual(found.read_only(), ["/c/master.cf: read-only parameter assignment: service_name=z"])
        self.assertEqual(found.unused_in_main(), [])

    def test_raw(self) -> None:
        """Values that come with a mail are no parameters."""
        self.assertEqual(lint("luser_relay = $user${x\nmailbox_command = $HOME\n").undefined(), [])

    def test_tables(self) -> None:
        """DN-3, PC-8: keys of a table in main.cf and in its own file."""
        path = os.path.abspath(self.mktemp())
        with open(path, "w") as file:
            file.write("server_host = a\nbogus = 1\n")
        found = lint(
            "virtual_alias_maps = mysql:foo, proxy:pgsql:bar\nfoo_user = 1\nfoo_bogus = 2\nbar_hosts = x\n"
            f"alias_maps = ldap:{path} sqlite:/nonexistent/x\n"
        )
        self.assertEqual(found.unused_in_main(), ["/c/main.cf: unused parameter: foo_bogus=2"])
        self.assertEqual(
            found.tables(),
            [
                f"ldap:{path}: unused parameter: bogus=1",
                'open "sqlite" configuration "/nonexistent/x": No such file or directory',
            ],
        )

    def test_deprecated(self) -> None:
        """PC-8, NV-9: names that go away, names that have gone, and comments after values."""
        found = lint("smtpd_use_tls = yes\nvirtual_maps = x\nenable_errors_to = 1\nbiff = no #x\n").unused_in_main()
        self.assertEqual(
            found,
            [
                '/c/main.cf: support for parameter "smtpd_use_tls" will be removed; '
                "instead, specify smtpd_tls_security_level",
                '/c/main.cf: support for parameter "virtual_maps" will be removed; '
                'instead, specify "virtual_alias_maps"',
                "/c/main.cf: support for parameter enable_errors_to has been removed; "
                "instead, do not specify (leave at default)",
                "/c/main.cf: #comment after other text is not allowed: #x ...",
            ],
        )


MAIN = "# top\na = 1,\n# inside\n  2\nb = x\n# between\nb = y\n"


class TestEdit(SynchronousTestCase):
    def test_replace(self) -> None:
        """PC-7: comments stay, continuation lines go, new names are appended, repeated ones warned about."""
        text, warnings = edit_main(MAIN, "m", REPLACE, {"a": "3", "c": "4"})
        self.assertEqual(text, "# top\na = 3\n# inside\nb = x\n# between\nb = y\nc = 4\n")
        self.assertEqual(warnings, [])
        text, warnings = edit_main(MAIN, "m", REPLACE, {"b": ""})
        self.assertEqual(text, "# top\na = 1,\n# inside\n  2\nb = \n# between\nb = \n")
        self.assertEqual(warnings, ['m: multiple entries for "b"'])

    def test_remove(self) -> None:
        """PC-3: -X and -#."""
        self.assertEqual(edit_main(MAIN, "m", REMOVE, {"a": ""})[0], "# top\n# inside\nb = x\n# between\nb = y\n")
        text, _warnings = edit_main(MAIN, "m", COMMENT_OUT, {"a": ""})
        self.assertEqual(text, "# top\n#a = 1,\n# inside\n#  2\nb = x\n# between\nb = y\n")

    def test_no_final_newline(self) -> None:
        """A last line without an end does not swallow the new one."""
        self.assertEqual(edit_main("a = 1", "m", REPLACE, {"b": "2"})[0], "a = 1\nb = 2\n")

    def test_master(self) -> None:
        """PC-4: entries kept, removed, commented out, replaced."""
        text = "# c\nx unix - - n - - pipe -v\n#d\n  user=a\ny unix - - n - - smtp\n"
        self.assertEqual(edit_master(text, "m", lambda entry: True), text)
        self.assertEqual(
            edit_master(text, "m", lambda entry: None if entry.fields[0] == "x" else True),
            "# c\n#d\ny unix - - n - - smtp\n",
        )
        self.assertEqual(
            edit_master(text, "m", lambda entry: entry.fields[0] != "x"),
            "# c\n#x unix - - n - - pipe -v\n#d\n#  user=a\ny unix - - n - - smtp\n",
        )
        self.assertEqual(
            edit_master(text, "m", lambda entry: entry if entry.fields[0] == "x" else True),
            "# c\n#d\nx          unix  -       -       n       -       -       pipe -v user=a\ny unix - - n - - smtp\n",
        )


class TestShow(SynchronousTestCase):
    def test_fold(self) -> None:
        """PC-10: lines of less than 80 columns, continued with four spaces."""
        text = fold(["mydestination", "=", *(f"host{n:03}.example," for n in range(9))])
        self.assertEqual(
            text.split("\n"),
            [
                "mydestination = host000.example, host001.example, host002.example,",
                "    host003.example, host004.example, host005.example, host006.example,",
                "    host007.example, host008.example,",
            ],
        )

    def test_entry(self) -> None:
        """PC-4: columns, and an -o on each line when folded."""
        (entry,) = parse_entries("[::1]:10026 inet n - n - - smtpd -v -o a=b -o {c = d e} { x y } {}\n")[0]
        self.assertEqual(
            entry_line(entry, False),
            "[::1]:10026 inet n       -       n       -       -       smtpd -v -o a=b -o {c=d e} {x y} {}",
        )
        self.assertEqual(
            entry_line(entry, True),
            "[::1]:10026 inet n       -       n       -       -       smtpd -v\n    -o a=b\n    -o {c=d e}\n"
            "    {x y} {}",
        )

    def test_command_field(self) -> None:
        """PC-4: -Ff, each -o on its own line."""
        (entry,) = parse_entries("x unix - - n - - smtp -v -o a=b {c d}\n")[0]
        self.assertEqual(Style(fold=True).field(entry, 7), "x/unix/command = smtp -v\n    -o a=b\n    {c d}")
        self.assertEqual(Style(fold=True, values_only=True).field(entry, 7), "smtp -v\n    -o a=b\n    {c d}")
        self.assertEqual(Style(names_only=True).field(entry, 7), "x/unix/command")
        self.assertEqual(Style().field(entry, 7), "x/unix/command = smtp -v -o a=b {c d}")

    def test_json(self) -> None:
        """PC-5: one object a line."""
        self.assertEqual(Style(json=True).parameter("a", 'x  "y"\n é'), '{"a": "x \\"y\\" é"}')
