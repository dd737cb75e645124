"""A directory for each of the two programs, the commands run in both, and what they answered.

Ours runs in this process, as its entry point does; `as_command` runs it as a user would.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

REAL = "/usr/sbin"
PLACE = "@DIR@"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/bin", "LC_ALL": "C", "DIFFERENTIAL": "from environ"}
PATIENCE = 30
HUNG = -1  # as if a signal had ended it


class Answer:
    """What a command said and did: `files` are the watched ones afterwards."""

    def __init__(self, status: int, out: str, err: str, files: Mapping[str, str]) -> None:
        self.status = status
        self.out = out
        self.err = err
        self.files = files


class Question:
    """A command line; PLACE in a word is the directory. `keys` is how many questions it is."""

    def __init__(
        self, program: str, words: Sequence[str], stdin: bytes = b"", watch: Sequence[str] = (), keys: int = 1
    ) -> None:
        self.program = program
        self.words = list(words)
        self.stdin = stdin
        self.watch = watch
        self.keys = keys

    def __repr__(self) -> str:
        return f"{self.program} {self.words}" + (f" stdin={self.stdin!r}" if self.stdin else "")


class Case:
    """Files, and what is asked about them, one after the other."""

    def __init__(self, files: Mapping[str, bytes], questions: Sequence[Question]) -> None:
        self.files = files
        self.questions = questions

    def __repr__(self) -> str:
        return "".join(f"{name}: {content!r}\n" for name, content in self.files.items()) + repr(self.questions)


class Stream(io.TextIOWrapper):
    """Standard output that is kept."""

    def __init__(self) -> None:
        self.kept = io.BytesIO()
        super().__init__(self.kept, encoding="utf-8", errors="surrogateescape", write_through=True)

    def content(self) -> bytes:
        self.flush()
        return self.kept.getvalue()


class Place:
    """A directory with a case's files, old enough for Postfix not to wait for them to settle."""

    def __init__(self, directory: str, files: Mapping[str, bytes]) -> None:
        self.directory = directory
        os.mkdir(directory)
        for name, content in files.items():
            path = os.path.join(directory, name)
            with open(path, "wb") as file:
                file.write(content.replace(PLACE.encode(), directory.encode()))
            os.utime(path, (1, 1))

    def remove(self) -> None:
        shutil.rmtree(self.directory)

    def real(self, question: Question) -> Answer:
        """Debian's."""
        return self._process(question, f"{REAL}/{question.program}")

    def as_command(self, question: Question) -> Answer:
        """Ours, as a process."""
        return self._process(question, os.path.join(os.path.dirname(sys.executable), question.program))

    def _process(self, question: Question, command: str) -> Answer:
        words = [question.program if command.startswith(REAL) else command, *self._words(question)]
        try:
            run = subprocess.run(
                words,
                executable=command,
                input=question.stdin,
                capture_output=True,
                timeout=PATIENCE,
                cwd=self.directory,
                env=ENVIRONMENT,
            )
        except subprocess.TimeoutExpired:
            return Answer(HUNG, "", "", {})
        return self._answer(run.returncode, run.stdout, run.stderr, question)

    def here(self, question: Question) -> Answer:
        """Ours, in this process."""
        kept = sys.stdin, sys.stdout, sys.stderr, os.getcwd()
        out, err = Stream(), Stream()
        with tempfile.TemporaryFile() as given:
            given.write(question.stdin)
            given.seek(0)
            sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(given), out, err
            os.chdir(self.directory)
            os.environ["DIFFERENTIAL"] = ENVIRONMENT["DIFFERENTIAL"]
            try:
                status = _main_of(question.program)(self._words(question))
            except SystemExit as error:
                status = int(error.code or 0)
            finally:
                sys.stdin, sys.stdout, sys.stderr = kept[:3]
                os.chdir(kept[3])
        return self._answer(status, out.content(), err.content(), question)

    def _words(self, question: Question) -> list[str]:
        return ["-c", self.directory, *(word.replace(PLACE, self.directory) for word in question.words)]

    def _answer(self, status: int, out: bytes, err: bytes, question: Question) -> Answer:
        files = {}
        for name in question.watch:
            with open(os.path.join(self.directory, name), "rb") as file:
                files[name] = self._shown(file.read())
        return Answer(status, self._shown(out), self._shown(err), files)

    def _shown(self, text: bytes) -> str:
        return text.replace(self.directory.encode(), PLACE.encode()).decode("utf-8", "backslashreplace")


def _main_of(program: str) -> Callable[[list[str]], int]:
    found: Callable[[list[str]], int] = import_module(f"pytwfix.commands.{program}").main
    return found
