"""postconf (PC-0..PC-10); the answers are those that a real Postfix 3.7 gave."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import postconf
from pytwfix.settings import registry

MAIN = """\
compatibility_level = 3.6
myhostname = mx.lab.example
mydomain = lab.example
mydestination = $myhostname, localhost.$mydomain,
    localhost
mua_restrictions = permit_sasl_authenticated,reject
unused_thing = 7
"""
MASTER = """\
# a comment
smtp      inet  n       -       n       -       -       smtpd
submission inet n       -       n       -       -       smtpd
  -o syslog_name=postfix/submission
  -o { smtpd_client_restrictions = permit_mynetworks, reject }
  -o smtpd_recipient_restrictions=$mua_restrictions
relay     unix  -       -       n       -       -       smtp
        -o syslog_name=postfix/$service_name
maildrop  unix  -       n       n       -       -       pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
"""
UNUSED = "postconf: warning: {}/main.cf: unused parameter: unused_thing=7\n"


class Output(io.TextIOWrapper):
    """A stream in memory."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined, no-any-return]


class Case(SynchronousTestCase):
    """A configuration, and the command run on it."""

    def setUp(self) -> None:
        self.folder = os.path.abspath(self.mktemp())
        os.makedirs(self.folder)
        self.write("main.cf", MAIN)
        self.write("master.cf", MASTER)

    def write(self, name: str, text: str) -> None:
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name: str) -> str:
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()

    def run_it(self, *words: str) -> tuple[int, str, str]:
        """Status, standard output, standard error."""
        out, err = Output(), Output()
        self.patch(sys, "stdout", out)
        self.patch(sys, "stderr", err)
        status = postconf.main(["-c", self.folder, *words])
        return status, out.text(), err.text()

    def check(self, words: list[str], out: str, err: str = "", status: int = 0) -> None:
        wanted = (status, out, err.replace("{}", self.folder))
        self.assertEqual(self.run_it(*words), wanted, words)


class TestParameters(Case):
    def test_set(self) -> None:
        """PC-3: -n, sorted, folded, values alone, names alone; PC-9: what is wrong is told on the way."""
        lines = [
            "compatibility_level = 3.6",
            f"config_directory = {self.folder}",
            "mua_restrictions = permit_sasl_authenticated,reject",
            "mydestination = $myhostname, localhost.$mydomain, localhost",
            "mydomain = lab.example",
            "myhostname = mx.lab.example",
        ]
        text = "".join(line + "\n" for line in lines)
        self.check(["-n"], text, UNUSED)
        self.check(["-nq"], text)
        self.check(["-nH"], "".join(line.partition(" ")[0] + "\n" for line in lines), UNUSED)
        self.check(["-nC", "user"], lines[2] + "\n", UNUSED)
        self.check(["-n", "relayhost", "mydomain"], "mydomain = lab.example\n", UNUSED)

    def test_expand(self) -> None:
        """PC-3: -x, -h, -o."""
        self.check(["-xh", "mydestination"], "mx.lab.example, localhost.lab.example, localhost\n", UNUSED)
        self.check(
            ["-o", "mydomain=o.example", "-xh", "mydestination"],
            "mx.lab.example, localhost.o.example, localhost\n",
            UNUSED,
        )
        self.check(["-x", "default_rbl_reply"], f"default_rbl_reply = {RBL_REPLY}\n", UNUSED)

    def test_defaults(self) -> None:
        """PC-3: -d looks at no main.cf; PC-0: all parameters, sorted."""
        self.check(["-d", "mydestination"], "mydestination = $myhostname, localhost.$mydomain, localhost\n")
        self.check(["-dh", "mail_name"], "Postfix\n")
        _status, out, _err = self.run_it("-d")
        names = [line.split(" ")[0] for line in out.splitlines()]
        self.assertEqual(names, sorted(names))
        self.assertEqual(set(registry.parameters()) - set(names), set())

    def test_unknown(self) -> None:
        """PC-0: a warning, and status 0."""
        self.check(["nosuch"], "", "postconf: warning: nosuch: unknown parameter\n" + UNUSED)

    def test_service_class(self) -> None:
        """PC-3, DN-1: -C service."""
        _status, out, _err = self.run_it("-C", "service")
        self.assertIn("maildrop_time_limit = $command_time_limit\n", out)
        self.assertIn("relay_destination_concurrency_limit = $default_destination_concurrency_limit\n", out)

    def test_json(self) -> None:
        """PC-5: one object a line."""
        _status, out, _err = self.run_it("-nj", "mydomain", "myhostname")
        self.assertEqual(
            [json.loads(line) for line in out.splitlines()],
            [{"mydomain": "lab.example"}, {"myhostname": "mx.lab.example"}],
        )

    def test_macro_errors(self) -> None:
        """MC-3: an error in a built-in parameter ends the command."""
        self.write("master.cf", "smtp inet n - n - - smtpd\n")
        self.write("main.cf", "smtpd_banner = a${mydomain\n")
        problem = 'postconf: warning: truncated macro reference: "a${mydomain"\n'
        self.check(["mydomain"], "", problem * 2 + "postconf: fatal: macro processing error\n", 1)
        self.write("main.cf", "compatibility_level = 3.\n")
        problem = 'postconf: warning: malformed compatibility level syntax: "3."\n'
        self.check(["-M"], "", problem + "postconf: fatal: macro processing error\n", 1)

    def test_computed_macro_errors(self) -> None:
        """MC-3: a mydomain that comes out of myhostname with a fault is told; it ends the command where it is used."""
        self.write("master.cf", "")
        self.write("main.cf", "myhostname = a.example, $$\n")
        problem = 'postconf: warning: empty macro name: "example, $"\n'
        self.check(["mail_name"], "mail_name = Postfix\n", problem)
        self.check(["-x", "myorigin"], "myorigin = a.example, $\n", problem)
        self.check(["-x", "mydomain"], "", problem * 2 + "postconf: fatal: macro processing error\n", 1)
        self.write("main.cf", "myhostname = a.example, ..\n")
        self.check(["-x", "mydomain"], "mydomain = example, ..\n")

    def test_missing_file(self) -> None:
        """No main.cf."""
        os.unlink(os.path.join(self.folder, "main.cf"))
        self.check(["-n"], "", "postconf: fatal: open {}/main.cf: No such file or directory\n", 1)


RBL_REPLY = "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}"


class TestOptions(Case):
    def test_conflicts(self) -> None:
        """PC-0: options that do not go together."""
        for words, text in (
            (["-d", "-n"], "specify one of -d -n"),
            (["-l", "-M", "-n"], "specify one of -l -M"),
            (["-h", "-e", "-M"], "specify one of -e -h"),
            (["-X", "a=b"], "specify one of -e -X"),
            (["-Mh"], "with option -M, do not specify -h"),
            (["-FX", "smtp/inet/chroot"], "with option -F, do not specify -X"),
            (["-P#", "x/y/z"], "with option -P, do not specify -#"),
            (["-mn"], "with option -m, do not specify -n"),
            (["-C", "foo"], 'unknown -C option value "foo" in "foo"'),
            (["-o", "bad"], "invalid parameter override: bad: missing '=' after attribute name"),
            (["-e"], "-e requires name=value argument"),
            (["-X"], "missing service argument"),
        ):
            self.check(words, "", f"postconf: fatal: {text}\n", 1)

    def test_usage(self) -> None:
        """PC-0, PC-3: a letter that is none, and -E."""
        for words, first in ((["-Z"], "postconf: invalid option -- 'Z'\n"), (["-E"], ""), (["-n", "-o"], None)):
            status, out, err = self.run_it(*words)
            self.assertEqual((status, out), (1, ""))
            if first is None:
                first = "postconf: option requires an argument -- 'o'\n"
            self.assertTrue(err.startswith(first + "postconf: fatal: usage: postconf "), err)

    def test_lists(self) -> None:
        """PC-1, PC-6: -l, -a, -A, -T."""
        self.check(["-l"], "flock\nfcntl\ndotlock\n")
        self.check(["-a"], "cyrus\ndovecot\ntable\n")
        self.check(["-A"], "cyrus\n")
        self.check(["-T", "foo"], "", "postconf: warning: unknown 'postconf -T' mode: foo\n")
        self.assertIn("rsa\n", self.run_it("-T", "public-key-algorithms")[1])
        self.assertTrue(self.run_it("-T", "run-version")[1].startswith("OpenSSL "))

    def test_tables(self) -> None:
        """PC-1: -m, sorted."""
        _status, out, _err = self.run_it("-m")
        types = out.split()
        self.assertEqual(types, sorted(types))
        self.assertIn("lmdb", types)
        self.assertIn("proxy", types)


class TestEdit(Case):
    def test_main(self) -> None:
        """PC-7: -e, implied -e, -X, -#."""
        self.check(["-e", "mydomain=new.example", "my_new = a  b"], "")
        self.assertIn("mydomain = new.example\n", self.read("main.cf"))
        self.assertTrue(self.read("main.cf").endswith("my_new = a  b\n"))
        self.check(["mydestination=only"], "")
        self.assertNotIn("localhost", self.read("main.cf"))
        self.check(["-X", "my_new"], "")
        self.assertNotIn("my_new", self.read("main.cf"))
        self.check(["-#", "mydomain"], "")
        self.assertIn("\n#mydomain = new.example\n", self.read("main.cf"))

    def test_refused(self) -> None:
        """PC-7: nothing is written when a request is wrong."""
        for word, text in (
            ("a\nb=1", "-e, -X, or -# accepts no multi-line input"),
            ("#a=1", "-e, -X, or -# accepts no comment input"),
            ("a", "missing '=' after attribute name: \"a\""),
            ("=a", 'missing attribute name: "=a"'),
        ):
            self.check(["-e", word], "", f"postconf: fatal: {text}\n", 1)
        self.assertEqual(self.read("main.cf"), MAIN)
        self.check(["-e", "a=1", "a=2"], "", "postconf: warning: ignoring earlier request: 'a = 1'\n")
        self.assertTrue(self.read("main.cf").endswith("\na = 2\n"))


class TestMaster(Case):
    def test_lines(self) -> None:
        """PC-4: -M with requests, folded and not."""
        self.check(["-M", "smtp/*"], "smtp       inet  n       -       n       -       -       smtpd\n")
        self.check(
            ["-Mf", "submission"],
            "submission inet  n       -       n       -       -       smtpd\n    -o syslog_name=postfix/submission\n"
            "    -o {smtpd_client_restrictions=permit_mynetworks, reject}\n"
            "    -o smtpd_recipient_restrictions=$mua_restrictions\n",
        )
        self.check(["-M", "nosuch"], "", 'postconf: warning: unmatched request: "nosuch"\n')
        self.check(["-M", "a/b/c"], "", "postconf: fatal: -M option requires service_name[/type]\n", 1)

    def test_fields(self) -> None:
        """PC-4: -F."""
        self.check(["-F", "*/unix/service"], "relay/unix/service = relay\nmaildrop/unix/service = maildrop\n")
        self.check(
            ["-Ff", "maildrop/unix/command"],
            "maildrop/unix/command = pipe flags=DRXhu user=vmail argv=/usr/bin/maildrop -d\n    ${recipient}\n",
        )
        self.check(["-F", "a/b/c"], "", 'postconf: fatal: invalid service attribute name: "c"\n', 1)

    def test_parameters(self) -> None:
        """PC-4: -P, sorted, and expanded as the service sees them."""
        self.check(
            ["-P", "submission/inet"],
            "submission/inet/smtpd_client_restrictions = permit_mynetworks, reject\n"
            "submission/inet/smtpd_recipient_restrictions = $mua_restrictions\n"
            "submission/inet/syslog_name = postfix/submission\n",
        )
        self.check(["-Pxh", "relay"], "postfix/relay\n")

    def test_clusters(self) -> None:
        """PC-4: options are shown apart."""
        self.write("master.cf", "x unix - - n - - smtp -v -vo mydomain=b -vobo\n")
        _status, out, _err = self.run_it("-M")
        self.assertTrue(out.endswith(" smtp -v -v -o mydomain=b -v -o b -o\n"), out)

    def test_bad_fields(self) -> None:
        """MX-4: postconf's words."""
        for line, text in (
            ("smtp tcp n - n - - smtpd", 'invalid type field "tcp" in "smtp tcp n - n - - smtpd"'),
            ("smtp inet n - n abc - smtpd", 'invalid wakeup field "abc" in "smtp inet n - n abc - smtpd"'),
            ("smtp inet n - n -", "file {}/master.cf: line 1: bad field count"),
        ):
            self.write("master.cf", line + "\n")
            self.check(["-F"], "", f"postconf: fatal: {text}\n", 1)

    def test_edit(self) -> None:
        """PC-4: -Me, -MX, -M#, -Fe, -Pe, -PX."""
        self.write("master.cf", "# c\nsmtp inet n - n - - smtpd\n")
        self.check(["-Me", "foo/unix = foo unix - - n - - pipe user=x"], "")
        self.check(["-Fe", "smtp/inet/process_limit=5"], "")
        self.check(["-Pe", "*/*/content_filter=x"], "")
        self.assertEqual(
            self.read("master.cf"),
            "# c\nsmtp       inet  n       -       n       -       5       smtpd\n    -o content_filter=x\n"
            "foo        unix  -       -       n       -       -       pipe\n    -o content_filter=x\n    user=x\n",
        )
        self.check(["-PX", "smtp/inet/content_filter"], "")
        self.check(["-M#", "foo/unix"], "")
        self.assertIn("smtpd\n#foo        unix", self.read("master.cf"))
        self.check(["-MX", "smtp/inet"], "")
        self.assertNotIn("\nsmtp", self.read("master.cf"))

    def test_short_entry(self) -> None:
        """PC-4: an entry with too few fields matters to those alone who ask for it."""
        self.write("master.cf", "smtp inet n\nfoo unix - - n - - pipe\n")
        self.check(["-Pe", "*/unix/x=y"], "")
        self.check(["-M#", "smtp/inet"], "")
        put = "foo        unix  -       -       n       -       -       pipe\n    -o x=y\n"
        self.assertEqual("#smtp inet n\n" + put, self.read("master.cf"))
        self.write("master.cf", "smtp inet n\n")
        for words in ["-Pe", "*/inet/x=y"], ["-Fe", "smtp/inet/chroot=n"]:
            self.check(words, "", "postconf: fatal: file {}/master.cf: line 1: bad field count\n", 1)
        self.check(["-MX", "smtp/inet"], "")
        self.assertEqual("", self.read("master.cf"))

    def test_wrong_options(self) -> None:
        """PC-7: options are shared from the first entry of a service and type that has a right one."""
        second = "other unix - - n - - smtp -o myhostname=a.example\nx inet n - n - - local -o queue_run_delay=1s\n"
        self.write("master.cf", "x inet n - n - - qmgr -o { = y }\n" + second)
        self.write("main.cf", "")
        warning = 'postconf: warning: master.cf: missing attribute name: "= y"\n'
        self.check(["-P"], "other/unix/myhostname = a.example\nx/inet/queue_run_delay = 1s\n", warning)

    def test_refused(self) -> None:
        """PC-4: what -e does not take."""
        for words, text in (
            (["-Me", "foo/inet=foo inet n"], 'bad field count: "foo/inet=foo inet n"'),
            (["-MX", "smtp"], "-Me, -MX or -M# requires service_name/type"),
            (["-Fe", "smtp/inet=x"], "-Fe or -FX requires service_name/type/field_name"),
            (["-Fe", "smtp/inet/private=maybe"], 'invalid private field "maybe" in "maybe"'),
            (["-Fe", "smtp/inet/bogus=y"], 'invalid service attribute name: "bogus"'),
            (["-Pe", "smtp/inet/x=a b"], "-Pe does not accept whitespace in parameter value"),
        ):
            self.check(words, "", f"postconf: fatal: {text}\n", 1)
        self.check(
            ["-Fe", "nosuch/inet/chroot=y"],
            "",
            'postconf: warning: unmatched service_name/type: "nosuch/inet/chroot=y"\n',
        )
        self.assertEqual(self.read("master.cf"), MASTER)
        self.write("master.cf", "smtp inet Y - n - - smtpd \n")
        text = 'invalid private field "Y" in "smtp inet Y - n - - smtpd "'
        self.check(["-Fe", "*/*/command=y"], "", f"postconf: fatal: {text}\n", 1)
        self.write("master.cf", "# c\nx\n inet n - n - - smtpd\n")
        text = "file {}/master.cf: line 2: specify service name and type on the same line"
        self.check(["-MX", "x/inet"], "", f"postconf: fatal: {text}\n", 1)


class TestStart(SynchronousTestCase):
    def test_imports(self) -> None:
        """The command starts without Twisted and other heavy modules."""
        code = "import sys, pytwfix.commands.postconf as p; p.registry.parameters(); print(sorted(sys.modules))"
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        heavy = {"twisted", "zope", "dataclasses", "inspect", "typing", "argparse", "json", "asyncio"}
        self.assertEqual({name for name in heavy if f"'{name}'" in out} - preloaded(), set())


def preloaded() -> set[str]:
    """What the interpreter of this environment loads before any program."""
    out = subprocess.run([sys.executable, "-c", "import sys; print(' '.join(sys.modules))"], capture_output=True)
    return set(out.stdout.decode().split())
