"""What may differ between Debian's Postfix 3.7 and ours, which speaks 3.11: each rule with its reason.

A rule changes both answers to what is compared.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile

from tests.conformance.differential.programs import REAL, Answer, Place, Question

LEVELS = ("0", "1", "2", "3.6")
# 3.11 warns of parameters that it will drop; 3.7 has no such warnings.
REMOVAL = re.compile(r".*support for parameter .* (will be|has been) removed; instead.*\n|.*DEPRECATION_README.*\n")
# A parameter is evaluated when Postfix meets it in a hash table: which of several faults it meets first, and what it
# has warned of by then, is an accident. That there is one is compared.
# Debian's own words.
PACKAGE = re.compile(r"\. Is the postfix-\w+ package installed\?")
NETWORKS = re.compile(r"(/\d+) +(?=[ \"}\]])")  # 3.7's own mynetworks ends in a space
COUNT = re.compile(r"line \d+: (bad field count|specify service)")  # when it edits, 3.7 has lost count
OFFSET = re.compile(r"(error in regex at offset) \d+")  # another release of PCRE2 counts otherwise
STAMP = re.compile(r"(YP_LAST_MODIFIED:?\t)\d+")
MACRO_FAULT = "macro processing error"
EARLY_FAULT = "unknown inet_protocols value"  # or this first
COMMENT = re.compile(r".*#comment after other text is not allowed.*\n")  # new in 3.11


class Known:
    """Knows which parameters cannot be compared: new ones, dropped ones, and those whose default is another."""

    def __init__(self) -> None:
        self.differing = {"process_id", "mail_version", "config_directory"}
        for level in LEVELS:
            for words in ([], ["-x"]):
                self._learn(f"compatibility_level = {level}\n", Question("postconf", words))

    def _learn(self, main: str, question: Question) -> None:
        with tempfile.TemporaryDirectory() as folder:
            place = Place(os.path.join(folder, "x"), {"main.cf": main.encode(), "master.cf": b""})
            real, ours = _values(place.real(question).out), _values(place.here(question).out)
        self.differing |= {name for name in {*real, *ours} if real.get(name) != ours.get(name)}

    def compared(self, question: Question, answer: Answer) -> tuple[object, ...]:
        """What of an answer is compared."""
        out = answer.out
        lines = COMMENT.sub("", REMOVAL.sub("", answer.err)).splitlines(True)
        out, *lines = (NETWORKS.sub(r"\1", text) for text in (out, *lines))
        if "e" in "".join(word for word in question.words if word.startswith("-")):
            lines = [COUNT.sub(r"\1", line) for line in lines]
        lines = [PACKAGE.sub("", OFFSET.sub(r"\1", line)) for line in lines]
        err = "".join(sorted(set(lines)))  # order and repetition are those of Postfix's hash tables
        if "usage: " in err:
            err = "usage"  # the text names the options of the release
        for fault in (MACRO_FAULT, EARLY_FAULT):
            if fault in err:
                err = MACRO_FAULT
        if question.program == "postconf" and len(out) > 2000:
            out = self._without_differing(out)
        files = answer.files
        if "main.cf" in files:  # new names are appended in the order of a hash table
            files = {**files, "main.cf": "\n".join(sorted(files["main.cf"].split("\n")))}
        if answer.status and (err == MACRO_FAULT or ": fatal: " in err):
            out = ""  # 3.7 loses what it has not written yet; ours writes what it has found
        if "-s" in question.words:  # the order is the database's
            out = STAMP.sub(r"\1", "\n".join(sorted(out.split("\n"))))
        return answer.status, out, err, files

    def _without_differing(self, out: str) -> str:
        entries = re.split(r"\n(?!    )", out)
        return "\n".join(one for one in entries if one.split(" ", 1)[0] not in self.differing)


def _values(out: str) -> dict[str, str]:
    return dict(line.partition(" =")[::2] for line in out.splitlines())


def real_release() -> str:
    """Which Postfix judges; "" when there is none."""
    try:
        run = subprocess.run([f"{REAL}/postconf", "-dh", "mail_version"], capture_output=True, text=True)
    except OSError:
        return ""
    return run.stdout.strip()
