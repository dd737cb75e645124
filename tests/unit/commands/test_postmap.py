"""postmap and postalias, in this process: options, exit status, what they say (PM-1 to PM-6)."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands.postalias import PostAlias
from pytwfix.commands.postmap import PostMap
from pytwfix.commands.tablecommand import TableCommand


class CommandCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)
        self.table = self.directory + "/t"
        self.main = {"smtputf8_enable": "yes", "default_database_type": "cdb", "myhostname": "h.example"}

    def write(self, text: str, name: str = "t") -> None:
        with open(f"{self.directory}/{name}", "w") as file:
            file.write(text)

    def run_command(self, command: type[TableCommand], *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """(exit status, standard output, standard error)."""
        main = self.main

        class Configured(command):  # type: ignore[valid-type,misc]
            def _settings(self) -> Callable[[str], str | None]:
                return main.get

        output, errors = io.TextIOWrapper(io.BytesIO()), io.StringIO()
        source = self.directory + "/stdin"
        with open(source, "wb") as file:
            file.write(stdin)
        with open(source) as given:
            self.patch(sys, "stdin", given)
            self.patch(sys, "stdout", output)
            self.patch(sys, "stderr", errors)
            try:
                status = Configured().run(list(arguments))
            except SystemExit as end:
                status = int(end.code or 0)
        output.flush()
        buffer: Any = output.buffer
        return status, buffer.getvalue().decode(), errors.getvalue().replace(self.directory, "D")

    def postmap(self, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        return self.run_command(PostMap, *arguments, stdin=stdin)

    def postalias(self, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        return self.run_command(PostAlias, *arguments, stdin=stdin)


class PostmapTests(CommandCase):
    def test_build_and_ask(self) -> None:
        """PM-1, PM-5: the value and 0, or nothing and 1; the default type."""
        self.write("A.example OK\nb two words\n")
        self.assertEqual(self.postmap(self.table), (0, "", ""))
        self.assertEqual(self.postmap("-q", "a.EXAMPLE", self.table), (0, "OK\n", ""))
        self.assertEqual(self.postmap("-q", "c", self.table), (1, "", ""))
        self.assertEqual(self.postmap("-q", "-", self.table, stdin=b"b\nc\n"), (0, "b\ttwo words\n", ""))
        self.assertEqual(self.postmap("-s", self.table), (0, "a.example\tOK\nb\ttwo words\n", ""))

    def test_json(self) -> None:
        """PM-1: -j."""
        self.assertEqual(self.postmap("-j", "-q", "-", "static:a\"b", stdin=b"k\n"), (0, '{"k": "a\\"b"}\n', ""))

    def test_update(self) -> None:
        """PM-1: -i, -r, -w, -d in lmdb."""
        name = f"lmdb:{self.table}"
        self.write("a 1\n")
        self.assertEqual(self.postmap(name)[0], 0)
        self.assertEqual(self.postmap("-i", name, stdin=b"a 2\nb 3\n"),
                         (0, "", 'postmap: warning: lmdb:D/t: duplicate entry: "a"\n'))
        self.assertEqual(self.postmap("-iw", name, stdin=b"a 2\n"), (0, "", ""))
        self.assertEqual(self.postmap("-q", "a", name)[1], "1\n")
        self.assertEqual(self.postmap("-ir", name, stdin=b"a 2\n"), (0, "", ""))
        self.assertEqual(self.postmap("-s", name)[1], "a\t2\nb\t3\n")
        self.assertEqual(self.postmap("-d", "a", name)[0], 0)
        self.assertEqual(self.postmap("-d", "a", name)[0], 1)
        self.assertEqual(self.postmap("-d", "-", name, stdin=b"x\nb\n")[0], 0)

    def test_files_as_values(self) -> None:
        """LK-11, PM-1: -F."""
        self.write("one\n", "f")
        self.write(f"k {self.directory}/f\nl {self.directory}/nosuch\n")
        status, _, errors = self.postmap("-F", self.table)
        self.assertEqual((status, errors), (0, "postmap: warning: D/t, line 2: open D/nosuch: No such file or "
                                               "directory: skipping this entry\n"))
        self.assertEqual(self.postmap("-q", "k", self.table)[1], "b25lCg==\n")
        self.assertEqual(self.postmap("-Fq", "k", self.table)[1], "one\n\n")

    def test_no_folding(self) -> None:
        self.write("A 1\na 2\n")
        self.assertEqual(self.postmap("-f", self.table), (0, "", ""))
        self.assertEqual(self.postmap("-fq", "A", self.table)[1], "1\n")
        self.assertEqual(self.postmap("-q", "A", self.table)[1], "2\n")

    def test_message(self) -> None:
        """PM-1: -h and -b see a message's headers and body lines."""
        message = b"Subject: x\n y\nTo: z\n\nbody\n"
        table = "regexp:{{/./ hit}}"
        self.assertEqual(self.postmap("-h", "-q", "-", table, stdin=message)[1], "Subject: x\n y\thit\nTo: z\thit\n")
        self.assertEqual(self.postmap("-b", "-q", "-", table, stdin=message)[1], "body\thit\n")
        self.assertIn('only with "-q -"', self.postmap("-h", "-q", "x", table)[2])

    def test_errors(self) -> None:
        """PM-5: fatal, and 1."""
        for arguments, text in (
            (("cdb:" + self.table,), "open D/t: No such file or directory"),
            (("-q", "a", "lmdb:" + self.table), "open database D/t.lmdb: No such file or directory"),
            (("-q", "a", "nosuch:x"), "unsupported dictionary type: nosuch"),
            (("-q", "a", "fail:x"), "table fail:x: query error: Application error"),
            (("-q", "a", "/nosuch:x"), "unsupported dictionary type: /nosuch"),
            (("-q", "a", "static:"), 'open dictionary: expecting "type:name" form instead of "static:"'),
            (("-i", "environ:"), "unsupported dictionary type: environ does not support bulk-mode creation."),
            (("-i", ":x"), "unsupported dictionary type: "),
            (("static:",), "open : No such file or directory"),
            (("-d", "a", "static:x"), "table static:x: delete operation is not supported"),
            (("-d", "a", "inline:{a=b}"), "inline:{a=b} map requires O_RDONLY access mode"),
            (("-s", "static:x"), "table static:x: sequence operation is not supported"),
            (("-q", "a", "-d", "b", "static:x"), "specify only one of -s -q or -d"),
        ):
            self.assertEqual(self.postmap(*arguments), (1, "", f"postmap: fatal: {text}\n"), arguments)
        self.write("a b\n")
        self.assertEqual(self.postmap("cidr:" + self.table)[2],
                         "postmap: fatal: unsupported dictionary type: cidr does not support bulk-mode creation.\n")

    def test_usage(self) -> None:
        for arguments in ((), ("-Z",), ("-q",), ("-q", "a")):
            status, _, errors = self.postmap(*arguments)
            self.assertEqual(status, 1)
            self.assertIn("usage: postmap", errors)

    def test_empty_value(self) -> None:
        """LK-1: said, but shown."""
        status, output, errors = self.postmap("-q", "a", "inline:{{a=}}")
        self.assertEqual((status, output), (0, "\n"))
        self.assertIn("should return NO RESULT in case of NOT FOUND", errors)


class PostaliasTests(CommandCase):
    def test_build(self) -> None:
        """PM-2: NIS entries, tokens, names in lower case."""
        self.write("Root: admin@x , ops\n")
        self.assertEqual(self.postalias(self.table), (0, "", ""))
        self.assertEqual(self.postalias("-q", "ROOT", self.table), (0, "admin@x, ops\n", ""))
        lines = self.postalias("-s", self.table)[1].splitlines()
        self.assertEqual(sorted(line.partition(":\t")[0] for line in lines),
                         ["@", "YP_LAST_MODIFIED", "YP_MASTER_NAME", "root"])
        self.assertIn("YP_MASTER_NAME:\th.example", lines)

    def test_fault(self) -> None:
        self.write("a b\n")
        self.assertEqual(self.postalias(self.table),
                         (0, "", "postalias: warning: D/t, line 1: need name:value pair\n"))


class StartTests(SynchronousTestCase):
    def test_light(self) -> None:
        """A command that starts often does without Twisted (HOUSE 5)."""
        code = (
            "import sys, pytwfix.commands.postmap, pytwfix.commands.postalias, pytwfix.tables.lmdbtable, "
            "pytwfix.tables.cdb, pytwfix.tables.regexp, pytwfix.tables.cidr, pytwfix.tables.berkeley\n"
            "print([name for name in ('twisted', 'dataclasses', 'zope', 'inspect') if name in sys.modules])"
        )
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
        self.assertEqual(run.stdout.strip(), "[]")
