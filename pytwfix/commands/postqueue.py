"""postqueue(1): list and flush the queue (INVENTORY PQ-1, PQ-2, PQ-3). Light: no Twisted.

The running system is asked by its socket, where the user's rights are checked. When it is down, root reads the files.
Exit status 0, or 69 after `postqueue: fatal: text`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from pytwfix.commands.options import parse
from pytwfix.commands.submission import UNAVAILABLE, configuration, die, value, warn
from pytwfix.mail.queueid import valid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.settings.snapshot import Snapshot

T = TypeVar("T")
_PROGRAM = "postqueue"
_USAGE = "usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site"
_ACTIONS = ("-f", "-i", "-j", "-p", "-s")


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    found, rest = parse(_PROGRAM, arguments, "c:fi:jps:v", _USAGE, UNAVAILABLE)
    actions = [(letter, argument) for letter, argument in found if letter in _ACTIONS]
    if len(actions) != 1 or rest:
        die(_PROGRAM, _USAGE, UNAVAILABLE)
    letter, argument = actions[0]
    if letter == "-i" and not valid(argument):
        die(_PROGRAM, f'Cannot flush queue ID - invalid name: "{argument}"', UNAVAILABLE)
    config = configuration(_PROGRAM, dict(found).get("-c", ""), UNAVAILABLE, checked=True)
    if letter == "-s":
        _check_site(config, argument)
    try:
        if letter in ("-p", "-j"):
            _show(config, letter == "-j")
        else:
            _flush(config, letter, argument)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def _show(config: Snapshot, as_json: bool) -> None:
    """The super-user reads the files; others ask the daemon, which knows their rights."""
    if os.geteuid() == 0:
        _show_files(config, as_json)
    elif as_json:
        from pytwfix.commands.controlclient import ask_lines

        _print(text if text.isascii() else _valid(text) for text in _asked(config, ask_lines))
    else:
        from pytwfix.commands.controlclient import ask
        from pytwfix.showq.format import lines

        listing = lines(_asked(config, ask), _long_ids(config))
        _print(line.encode("utf-8", "surrogateescape") + b"\n" for line in listing)


def _print(pieces: Iterable[bytes]) -> None:
    out = sys.stdout.buffer
    for piece in pieces:
        out.write(piece)
    out.flush()


def _long_ids(config: Snapshot) -> bool:
    return value(config, "enable_long_queue_ids") == "yes"


def _valid(text: bytes) -> bytes:
    """JSON is UTF-8."""
    return text.decode("utf-8", "surrogateescape").encode("utf-8", "replace")


def _socket(config: Snapshot) -> str:
    return f"{value(config, 'queue_directory')}/submit/socket"


def _down(config: Snapshot, error: Exception) -> str:
    return f"(Connect to the {value(config, 'mail_name')} showq service: {error})"


def _asked(config: Snapshot, ask: Callable[[str, dict[str, Any]], Iterator[T]]) -> Iterator[T]:
    """All messages, as `ask` gets them from the daemon."""
    from pytwfix.commands.controlclient import ControlDown, ControlError

    try:
        yield from ask(_socket(config), {"verb": "list"})
    except ControlError as error:
        die(_PROGRAM, str(error), error.code)
    except ControlDown as error:
        die(_PROGRAM, f"Queue report unavailable - mail system is down {_down(config, error)}", UNAVAILABLE)


def _show_files(config: Snapshot, as_json: bool) -> None:
    from pytwfix.commands.controlclient import ControlDown, expect_running
    from pytwfix.commands.queuereading import chunks
    from pytwfix.showq import format as form
    from pytwfix.spool.paths import QueuePaths

    try:
        expect_running(_socket(config))
    except ControlDown as error:
        warn(_PROGRAM, f"warning: Mail system is down -- accessing queue directly {_down(config, error)}")
    depth = int(value(config, "hash_queue_depth"))
    paths = QueuePaths(value(config, "queue_directory"), value(config, "hash_queue_names"), depth)
    long_ids = _long_ids(config)
    count = size = 0
    try:
        for chunk in chunks(paths, _json if as_json else partial(form.text, long_ids=long_ids)):
            if chunk.messages and not count and not as_json:
                _print([form.head(long_ids).encode(), b"\n"])
            _print([chunk.text])
            count, size = count + chunk.messages, size + chunk.octets
    except BrokenPipeError:
        raise
    except OSError as error:
        die(_PROGRAM, f"{error.filename}: {error.strerror}", UNAVAILABLE)
    if not as_json:
        _print([form.total(count, size).encode(), b"\n"])


def _json(messages: Iterable[dict[str, Any]]) -> bytes:
    import json

    encode = json.JSONEncoder(ensure_ascii=False).encode
    return b"".join(encode(one).encode("utf-8", "replace") + b"\n" for one in messages)


def _check_site(config: Snapshot, site: str) -> None:
    """A domain or an address in brackets, and some domains must have logs at all."""
    from pytwfix.mail.hostnames import valid_mail_domain

    if not valid_mail_domain(os.fsencode(site)) or site.endswith("."):
        die(_PROGRAM, f'Cannot flush mail queue - invalid destination: "{site}"', UNAVAILABLE)
    if not value(config, "fast_flush_domains").strip():
        die(_PROGRAM, f'Flush service is not configured for destination "{site}"', UNAVAILABLE)


def _flush(config: Snapshot, letter: str, argument: str) -> None:
    from pytwfix.commands.controlclient import ControlDown, ControlError, ask

    request: dict[str, Any] = {"verb": "flush"}
    if letter == "-i":
        request = {"verb": "deliver", "id": argument}
    elif letter == "-s":
        request["sites"] = [argument]
    try:
        for _ in ask(_socket(config), request):
            continue
    except ControlDown as error:
        text = f"unable to look up public/qmgr: {error}" if letter == "-f" else f"connect to public/flush: {error}"
        warn(_PROGRAM, f"warning: {text}")
        die(_PROGRAM, "Cannot flush mail queue - mail system is down", UNAVAILABLE)
    except ControlError as error:
        die(_PROGRAM, str(error), error.code)


if __name__ == "__main__":
    sys.exit(main())
