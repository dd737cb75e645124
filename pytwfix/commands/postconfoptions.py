"""postconf's command line: which options there are, and which do not go together (PC-0, PC-3, PC-4)."""

from __future__ import annotations

import sys

from pytwfix.settings.lint import BUILTIN, SERVICE, USER
from pytwfix.settings.maincf import split_assignment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LETTERS = "aAbc:C:deEfFhHjlmMno:pPqtT:vxX#"
ORDER = "aAbdefFhHjlmMnopPtTxX#"
MODES = "aAblmFMpPtT"
EDITS = "denX#"
ONE_OF = (MODES, EDITS, "do", *(f"{edit}{other}" for edit in "eX#" for other in "fhHox"), "hH", "jf", "jh", "jH")
NOT_WITH = dict.fromkeys("aAblmtT", "defhHnoxX#j") | {"F": "dnX#", "M": "dhHn", "P": "dn#"}
USAGE = (
    "usage: postconf [-aAbdefFhHjlmMnpPqtvxX#] [-c config_dir] [-C class,...] [-o name=value] "
    "[-T compile-version|run-version|public-key-algorithms] [name...]"
)


class Fatal(Exception):
    """Ends the command with status 1."""


class Options:
    """The command line. `letters` are the options given, in any order."""

    def __init__(self) -> None:
        self.letters: set[str] = set()
        self.directory: str | None = None
        self.classes = {BUILTIN, SERVICE, USER}
        self.overrides: dict[str, str] = {}
        self.report = ""
        self.arguments: list[str] = []

    def has(self, letter: str) -> bool:
        return letter in self.letters


def parse_options(argv: Sequence[str]) -> Options:
    """getopt by hand: the module is slower to import than this command is to run."""
    options = Options()
    words = list(argv)
    while words and words[0][:1] == "-" and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        rest = word[1:]
        while rest:
            letter, rest = rest[0], rest[1:]
            place = LETTERS.find(letter)
            if place < 0 or letter in ":E":
                _usage(f"invalid option -- '{letter}'" if letter != "E" else "")
            if LETTERS[place + 1 : place + 2] == ":":
                if not rest and not words:
                    _usage(f"option requires an argument -- '{letter}'")
                _valued(options, letter, rest or words.pop(0))
                rest = ""
            options.letters.add(letter)
    options.arguments = words
    if words and "=" in words[0] and "e" not in options.letters:
        options.letters.add("e")
    return options


def _usage(problem: str) -> None:
    if problem:
        print(f"postconf: {problem}", file=sys.stderr)
    raise Fatal(USAGE)


def _valued(options: Options, letter: str, value: str) -> None:
    if letter == "c":
        options.directory = value
    elif letter == "C":
        options.classes = set()
        for word in value.replace(",", " ").split():
            if word not in (BUILTIN, SERVICE, USER, "all"):
                raise Fatal(f'unknown -C option value "{word}" in "{value}"')
            options.classes |= {BUILTIN, SERVICE, USER} if word == "all" else {word}
    elif letter == "T":
        options.report = value
    else:
        try:
            name, text = split_assignment(value)
        except ValueError as error:
            raise Fatal(f"invalid parameter override: {value}: {str(error).partition(': ')[0]}") from None
        options.overrides[name] = text


def check_options(options: Options) -> None:
    """Which options do not go together."""
    for group in ONE_OF:
        both = [letter for letter in ORDER if letter in group and options.has(letter)]
        if len(both) > 1:
            raise Fatal("specify one of " + " ".join(f"-{letter}" for letter in both))
    for mode, others in NOT_WITH.items():
        wrong = [f"-{letter}" for letter in others if options.has(mode) and options.has(letter)]
        if wrong:
            raise Fatal(f"with option -{mode}, do not specify " + " ".join(wrong))
