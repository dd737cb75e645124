"""postdrop(1): records of a mail from standard input to the running system (INVENTORY PD-1, RF-3). Light.

With -r the answer goes to standard output as attributes, which is what sendmail programs of Postfix expect.
"""

from __future__ import annotations

import getopt
import os
import sys

from pytwfix.accept.pickup import records
from pytwfix.commands.submission import SubmitError, configuration, die, submit, warn

_PROGRAM = "postdrop"


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    try:
        found, rest = getopt.getopt(sys.argv[1:] if arguments is None else arguments, "c:rv")
    except getopt.GetoptError as error:
        warn(_PROGRAM, str(error))
        die(_PROGRAM, "usage: postdrop [-c config_dir] [-rv]", 64)
    if rest:
        die(_PROGRAM, "usage: postdrop [-c config_dir] [-rv]", 64)
    options = dict(found)
    config = configuration(_PROGRAM, options.get("-c", ""))
    data = sys.stdin.buffer.read()
    _check(data)
    try:
        name = submit(config, data)
    except SubmitError as error:
        die(_PROGRAM, str(error), error.code)
    if "-r" in options:
        answer = ["protocol", "postdrop_protocol", "queue_id", name, "", "status", "0", "reason", "", ""]
        sys.stdout.write("".join(text + "\0" for text in answer))
    return 0


def _check(data: bytes) -> None:
    """Malformed input ends the command here, without bothering the daemon."""
    part = records.ENVELOPE_TYPES
    try:
        for kind, _ in records.parse(data):
            if kind not in part:
                raise ValueError(f"unexpected record type: {kind[0]}")
            if kind == records.CONTENT:
                part = records.CONTENT_TYPES
            elif kind == records.EXTRACTED:
                part = records.EXTRACTED_TYPES
    except ValueError as error:
        warn(_PROGRAM, f"warning: stdin: {error}")
        die(_PROGRAM, f"uid={os.getuid()}: malformed input", 1)
