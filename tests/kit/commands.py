"""Running a command's main() in this process, with a main.cf and a queue of its own."""

from __future__ import annotations

import io
import os
import pwd
import sys
from contextlib import redirect_stderr

from tests.kit.spool import Spool


class Output(io.TextIOWrapper):
    """Standard output that is kept."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode("utf-8", "surrogateescape")


class CommandQueue:
    """A configuration directory and its queue."""

    def __init__(self, path: str, **main: str) -> None:
        self.directory = os.path.abspath(path)
        self.spool = Spool(self.directory + "/queue", **main)
        values = {
            "queue_directory": self.spool.path,
            "mail_owner": pwd.getpwuid(os.geteuid()).pw_name,
            "maillog_file": self.directory + "/log",
            "maillog_file_prefixes": self.directory,
            **main,
        }
        with open(self.directory + "/main.cf", "w", encoding="ascii") as file:
            file.writelines(f"{name} = {value}\n" for name, value in values.items())

    def run(self, main: object, *words: str, text: str = "") -> tuple[int, str, str]:
        """(exit status, standard output, standard error)."""
        out, said = Output(), io.StringIO()
        kept = sys.stdout, sys.stdin
        sys.stdout, sys.stdin = out, io.StringIO(text)
        try:
            with redirect_stderr(said):
                code = main(["-c", self.directory, *words])  # type: ignore[operator]
        except SystemExit as error:
            code = error.code
        finally:
            sys.stdout, sys.stdin = kept
        return int(code), out.text(), said.getvalue()

    def logged(self) -> list[str]:
        """The text of log lines, behind the tag."""
        with open(self.directory + "/log", encoding="utf-8") as file:
            return [line.rstrip("\n").split("]: ", 1)[1] for line in file]
