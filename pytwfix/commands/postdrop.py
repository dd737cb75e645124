"""postdrop(1): records of a mail from standard input to the running system (INVENTORY PD-1, RF-3). Light.

The answer goes to standard output as attributes, which is what sendmail programs of Postfix expect, -r or not.
"""

from __future__ import annotations

import os
import sys

from pytwfix.accept.pickup import records
from pytwfix.commands.options import parse
from pytwfix.commands.submission import SubmitError, configuration, die, submit, warn

_PROGRAM = "postdrop"
_USAGE = "usage: postdrop [-c config_dir] [-rv]"


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    found, _ = parse(_PROGRAM, arguments, "c:rv", _USAGE, 1)
    options = dict(found)
    config = configuration(_PROGRAM, options.get("-c", ""), 1, checked=True)
    data = sys.stdin.buffer.read()
    if not _whole(data):
        return 0
    try:
        name = submit(config, data)
    except SubmitError as error:
        die(_PROGRAM, str(error), error.code)
    answer = ["protocol", "postdrop_protocol", "queue_id", name, "", "status", "0", "reason", "", ""]
    sys.stdout.write("".join(text + "\0" for text in answer))
    return 0


def _whole(data: bytes) -> bool:
    """Whether it is a mail up to its end. Malformed input ends the command here, without bothering the daemon."""
    part = records.ENVELOPE_TYPES
    try:
        for kind, _ in records.parse(data):
            if kind not in part:
                raise ValueError(f"unexpected record type: {kind[0]}")
            if kind == records.CONTENT:
                part = records.CONTENT_TYPES
            elif kind == records.EXTRACTED:
                part = records.EXTRACTED_TYPES
    except records.Unfinished:
        return False  # whoever wrote it gave up
    except ValueError as error:
        warn(_PROGRAM, f"warning: stdin: {error}")
        die(_PROGRAM, f"uid={os.getuid()}: malformed input", 1)
    return True
