"""commands/postmulti.py, postmultiedit.py, instances.py, instanceremoval.py."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.commands import postmulti
from pytwfix.settings import maincf
from tests.kit.commands import CommandQueue, Output

_FAKE = """#!/bin/sh
echo "$MAIL_CONFIG $*" >>"$LOG"
test ! -f "$MAIL_CONFIG/broken"
"""


class MultiCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.base = os.path.abspath(self.mktemp())
        os.makedirs(self.base + "/bin")
        self.queue = CommandQueue(
            self.base + "/etc", data_directory=self.base + "/data", setgid_group="nogroup",
            command_directory=self.base + "/bin",
        )  # fmt: skip
        with open(self.base + "/bin/postfix", "w", encoding="ascii") as file:
            file.write(_FAKE)
        os.chmod(self.base + "/bin/postfix", 0o755)
        self.patch(maincf, "DEFAULT_DIRECTORY", self.queue.directory)
        environment = {name: text for name, text in os.environ.items() if name != "MAIL_CONFIG"}
        self.patch(os, "environ", {**environment, "LOG": self.base + "/ran"})

    def multi(self, *words: str) -> tuple[int, str]:
        """Exit status and standard output."""
        out, said = Output(), io.StringIO()
        self.patch(sys, "stdout", out)
        try:
            with redirect_stderr(said):
                code = postmulti.main(list(words))
        except SystemExit as error:
            code = int(str(error.code))
        self.said = said.getvalue()
        return code, out.text()

    def done(self, *words: str) -> str:
        code, out = self.multi(*words)
        self.assertEqual((code, self.said), (0, ""), self.queue.logged()[-1:] if code else "")
        return out

    def refused(self, *words: str) -> str:
        """What is logged."""
        self.assertEqual(self.multi(*words), (1, ""))
        return self.queue.logged()[-1].removeprefix("fatal: ")

    def places(self, name: str) -> list[str]:
        return [f"{where}_directory={self.base}/{name}/{where}" for where in ("config", "queue", "data")]

    def create(self, name: str, *options: str) -> str:
        """A new instance's configuration directory."""
        self.done(*options, "-I", f"postfix-{name}", "-e", "create", *self.places(name))
        return f"{self.base}/{name}/config"

    def listed(self, *options: str) -> list[list[str]]:
        return [line.split() for line in self.done("-l", *options).splitlines()]

    def ran(self) -> list[str]:
        """`directory command` of each postfix command since the last look."""
        try:
            with open(self.base + "/ran", encoding="ascii") as file:
                lines = file.read().replace(self.base + "/", "").splitlines()
        except FileNotFoundError:
            return []
        os.unlink(self.base + "/ran")
        return lines


class Iterator(MultiCase):
    """PMU: -l, -p and -x."""

    def test_alone(self) -> None:
        """PMU: one that nobody has made several of is enabled."""
        self.assertEqual(self.done("-l"), f"-               -               y         {self.queue.directory}\n")
        self.done("-p", "start")
        self.assertEqual(self.ran(), ["etc start"])

    def test_selection(self) -> None:
        """PMU: all, a group, one by name or directory, the primary; -R turns them round."""
        self.done("-e", "init")
        a, b = self.create("a", "-G", "out"), self.create("b")
        first, second, third = (
            ["-", "-", "y", self.queue.directory],
            ["postfix-a", "out", "n", a],
            ["postfix-b", "-", "n", b],
        )
        self.assertEqual(self.listed(), [first, second, third])
        self.assertEqual(self.listed("-a", "-R"), [third, second, first])
        self.assertEqual(self.listed("-g", "out"), [second])
        self.assertEqual(self.listed("-i", "postfix-b"), [third])
        self.assertEqual(self.listed("-i", a), [second])
        self.assertEqual(self.listed("-i", "-"), [first])
        self.assertEqual(self.listed("-i", "nonesuch"), [])
        told = {"name": "postfix-a", "group": "out", "enabled": False, "config_directory": a}
        self.assertEqual(json.loads(self.done("-jl", "-g", "out")), told)

    def test_postfix(self) -> None:
        """PMU: a disabled instance is checked at a start, left out of stops and controls, and asked for the rest."""
        self.done("-e", "init")
        self.create("a")
        self.create("b")
        self.done("-i", "postfix-b", "-e", "enable")
        for word, expected in (
            ("start", ["etc start", "a/config check", "b/config start"]),
            ("stop", ["b/config stop", "etc stop"]),
            ("reload", ["etc reload", "b/config reload"]),
            ("status", ["etc status", "a/config status", "b/config status"]),
        ):
            self.done("-p", "--", word)
            self.assertEqual(self.ran(), expected)

    def test_failure(self) -> None:
        """PMU: what fails for one is done for the others, and told in the end."""
        self.done("-e", "init")
        self.create("a")
        with open(f"{self.queue.directory}/broken", "w", encoding="ascii"):
            pass
        self.assertEqual(self.multi("-p", "status")[0], 1)
        self.assertEqual(self.ran(), ["etc status", "a/config status"])
        self.assertEqual(self.refused("-x", "/nonesuch"), "execvp /nonesuch: No such file or directory")

    def test_environment(self) -> None:
        """PMU: -x gives any command the instance's directories."""
        self.done("-e", "init")
        a = self.create("a", "-G", "out")
        names = ("MAIL_CONFIG", "config_directory", "queue_directory", "multi_instance_name", "multi_instance_group",
                 "multi_instance_enable")  # fmt: skip
        text = " ".join(f"${name}" for name in names)
        self.done("-i", "postfix-a", "-v", "-x", "sh", "-c", f'echo {text} "${{MAIL_VERBOSE-none}}" >>"$LOG"')
        self.assertEqual(self.ran(), ["a/config a/config a/queue postfix-a out no "])
        self.assertEqual(a, self.base + "/a/config")

    def test_mistakes(self) -> None:
        """PMU: what does not go together."""
        one = "Specify exactly one of '-e', '-l', '-p', '-x'"
        self.assertEqual([self.refused(), self.refused("-l", "-p", "x")], [one, one])
        self.assertEqual(self.refused("-p"), "Command required with '-p' or '-x' option")
        self.assertEqual(self.refused("-R", "-p", "x"), "The '-p' and '-e' options preclude the use of '-R'")
        self.assertIn("not allowed", self.refused("-l", "x"))
        self.assertEqual(self.refused("-j", "-p", "x"), "The '-j' option requires '-l'")
        self.assertIn("require '-e'", self.refused("-G", "x", "-l"))
        self.assertEqual(self.multi("-z")[0], 1)
        self.assertIn("postmulti: invalid option -- 'z'\n", self.said)
        os.environ["MAIL_CONFIG"] = "/elsewhere"
        self.assertIn("non-default configuration directory: /elsewhere", self.refused("-l"))


class LifeCycle(MultiCase):
    """PMU: -e."""

    def test_init(self) -> None:
        """PMU: before anything else."""
        text = "multi_instance_enable!=yes, run 'postmulti -e init' first."
        self.assertEqual(self.refused("-e", "create", *self.places("a")), text)
        self.done("-e", "init")
        with open(f"{self.queue.directory}/main.cf", encoding="ascii") as file:
            lines = file.read().splitlines()[-2:]
        wrapper = "multi_instance_wrapper = ${command_directory}/postmulti -p --"
        self.assertEqual(lines, [wrapper, "multi_instance_enable = yes"])

    def test_create(self) -> None:
        """PMU: own directories, the primary's accounts; it listens nowhere, and is not enabled."""
        self.done("-e", "init")
        directory = self.create("a", "-G", "out")
        values = maincf.read_main(directory).values
        self.assertEqual(values["queue_directory"], self.base + "/a/queue")
        self.assertEqual(values["data_directory"], self.base + "/a/data")
        self.assertEqual(values["command_directory"], self.base + "/bin")
        self.assertEqual((values["master_service_disable"], values["authorized_submit_users"]), ("inet", ""))
        self.assertNotIn("maillog_file", values)
        self.assertTrue(os.path.exists(directory + "/master.cf"))
        self.assertTrue(os.path.isdir(self.base + "/a/queue/incoming"))
        self.assertEqual(os.stat(self.base + "/a/data").st_mode & 0o777, 0o700)

    def test_places(self) -> None:
        """PMU: directories that are not given are named after the instance, beside those of the primary."""
        self.done("-e", "init")
        self.done("-I", "postfix-a", "-e", "create", f"data_directory={self.base}/d")
        values = maincf.read_main(self.base + "/postfix-a").values
        self.assertEqual(values["queue_directory"], self.base + "/etc/postfix-a")
        self.assertEqual(values["data_directory"], self.base + "/d")

    def test_order(self) -> None:
        """PMU: a new one comes last, first with -a, before a group with -g, before an instance with -i."""
        self.done("-e", "init")
        self.create("a", "-G", "out")
        self.create("b", "-a")
        self.create("c", "-g", "out")
        self.create("d", "-i", "postfix-c")
        names = [line[0] for line in self.listed()]
        self.assertEqual(names, ["-", "postfix-b", "postfix-d", "postfix-c", "postfix-a"])

    def test_conflicts(self) -> None:
        """PMU: no two have a name or a directory in common."""
        self.done("-e", "init")
        a = self.create("a")
        self.assertEqual(
            self.refused("-I", "postfix-b", "-e", "create", *self.places("a")),
            f"new config_directory={a} is already in use by instance {a}, config_directory={a}",
        )
        b = f"{self.base}/b/config"
        self.assertEqual(
            self.refused("-I", "postfix-a", "-e", "create", *self.places("b")),
            f"instance {b}, multi_instance_name=postfix-a conflicts with instance {a}, multi_instance_name=postfix-a",
        )
        words = self.places("b")
        words[2] = f"data_directory={self.base}/a/queue"
        self.assertEqual(
            self.refused("-e", "create", *words),
            f"instance {b}, data_directory={self.base}/a/queue conflicts with instance {a}, "
            f"queue_directory={self.base}/a/queue",
        )
        words[2] = f"data_directory={self.base}/b/queue"
        self.assertIn(f"conflicts with instance {b}, queue_directory=", self.refused("-e", "create", *words))
        self.assertFalse(os.path.exists(b))

    def test_bad_words(self) -> None:
        """PMU: what -e does not understand."""
        self.done("-e", "init")
        self.assertIn("Invalid '-e' edit action 'foo'. Specify 'create', ", self.refused("-e", "foo"))
        self.assertEqual(self.refused("-e", "create"), "Missing config_directory parameter value")
        self.assertEqual(self.refused("-e", "create", "x=/y"), "Malformed parameter setting 'x=/y'")
        self.assertEqual(self.refused("-I", "x", "-e", "create"), "New instance name must start with 'postfix-'")
        self.assertIn("no absolute path", self.refused("-e", "create", "config_directory=x"))
        self.assertEqual(self.refused("-e", "enable"), "Select an instance via '-i name'")
        self.assertEqual(self.refused("-i", "x", "-e", "enable"), "No instance named x")
        self.assertIn("not allowed with '-e enable'", self.refused("-i", "-", "-e", "enable", "x=y"))
        self.assertEqual(self.refused("-e", "create", *self.places("a")[:1]), "Missing queue_directory parameter value")

    def test_assign(self) -> None:
        """PMU: another name, another group, none."""
        self.done("-e", "init")
        a = self.create("a")
        self.done("-i", "postfix-a", "-I", "postfix-q", "-G", "in", "-e", "assign")
        self.assertEqual(self.listed()[1], ["postfix-q", "in", "n", a])
        self.done("-i", a, "-I", "-", "-G", "-", "-e", "assign")
        self.assertEqual(self.listed()[1], ["-", "-", "n", a])
        self.assertIn("Specify new instance name or group", self.refused("-i", a, "-e", "assign"))
        self.done("-i", a, "-e", "enable")
        self.assertEqual(self.listed()[1][2], "y")
        self.done("-i", a, "-e", "disable")
        self.assertEqual(self.listed()[1][2], "n")

    def test_deport_and_import(self) -> None:
        """PMU: off the list and on it again, with nothing else changed."""
        self.done("-e", "init")
        a = self.create("a", "-G", "out")
        self.done("-i", "postfix-a", "-e", "deport")
        self.assertEqual(len(self.listed()), 1)
        self.done("-I", "postfix-z", "-e", "import", f"config_directory={a}")
        self.assertEqual(self.listed()[1], ["postfix-z", "out", "n", a])
        self.done("-i", "postfix-z", "-e", "deport")
        self.done("-e", "create", f"config_directory={a}")
        self.assertEqual(self.listed()[1], ["postfix-z", "out", "n", a])
        self.assertEqual(self.refused("-i", "-", "-e", "deport"), "Cannot remove the primary instance")
        missing = f"open {self.base}/none/main.cf: No such file or directory"
        self.assertEqual(self.refused("-e", "import", f"config_directory={self.base}/none"), missing)

    def test_destroy(self) -> None:
        """PMU: not the primary, none that is enabled, runs or has mail; all that is its own goes."""
        self.done("-e", "init")
        a = self.create("a")
        self.done("-i", "postfix-a", "-e", "enable")
        self.assertEqual(self.refused("-i", "postfix-a", "-e", "destroy"), "Cannot remove enabled instances")
        self.assertEqual(self.refused("-i", "-", "-e", "destroy"), "Cannot remove the primary instance")
        self.done("-i", "postfix-a", "-e", "disable")
        mail = self.base + "/a/queue/hold/4ABC"
        with open(mail, "w", encoding="ascii"):
            pass
        self.assertIn("there is mail in", self.refused("-i", "postfix-a", "-e", "destroy"))
        self.assertTrue(os.path.exists(a + "/main.cf"))
        os.unlink(mail)
        os.mkfifo(self.base + "/a/queue/public/qmgr")
        for path in ("queue/pid/master.pid", "data/master.lock", "data/verify_cache.lmdb", "queue/flush/x"):
            with open(f"{self.base}/a/{path}", "w", encoding="ascii"):
                pass
        self.done("-i", "postfix-a", "-e", "destroy")
        self.assertEqual(os.listdir(self.base + "/a"), [])
        self.assertEqual(len(self.listed()), 1)

    def test_destroy_what_is_not_ours(self) -> None:
        """PMU: files of others stay, and are told of."""
        self.done("-e", "init")
        a = self.create("a")
        with open(a + "/access", "w", encoding="ascii"):
            pass
        self.assertEqual(self.multi("-i", "postfix-a", "-e", "destroy"), (0, ""))
        self.assertEqual(self.queue.logged()[-1], f"warning: {a}: please verify contents and remove by hand: {a}")
        self.assertEqual(os.listdir(a), ["access"])
