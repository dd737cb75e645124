"""postqueue(1): list and flush the queue (INVENTORY PQ-1, PQ-2, PQ-3). Light: no Twisted.

The running system is asked by its socket, where the user's rights are checked. When it is down, root reads the files.
Exit status 0, or 69 after `postqueue: fatal: text`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
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
    from pytwfix.commands.controlclient import ask, ask_lines

    out = sys.stdout.buffer
    if as_json:
        for text in _listed(config, ask_lines, _line):
            out.write(text if text.isascii() else text.decode("utf-8", "surrogateescape").encode("utf-8", "replace"))
    else:
        from pytwfix.showq.format import lines

        messages = _listed(config, ask, lambda message: message)
        for line in lines(messages, value(config, "enable_long_queue_ids") == "yes"):
            out.write(line.encode("utf-8", "surrogateescape") + b"\n")
    out.flush()


def _line(message: dict[str, Any]) -> bytes:
    """A message as the daemon writes it."""
    import json

    return json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"


def _listed(
    config: Snapshot, ask: Callable[[str, dict[str, Any]], Iterator[T]], shaped: Callable[[dict[str, Any]], T]
) -> Iterator[T]:
    """All messages, from the daemon as `ask` gives them, or else from the files, `shaped` the same."""
    from pytwfix.commands.controlclient import ControlDown, ControlError

    path = f"{value(config, 'queue_directory')}/submit/socket"
    try:
        yield from ask(path, {"verb": "list"})
        return
    except ControlError as error:
        die(_PROGRAM, str(error), error.code)
    except ControlDown as error:
        reason = str(error)
    text = f"Connect to the {value(config, 'mail_name')} showq service: {reason}"
    if os.geteuid() != 0:
        die(_PROGRAM, f"Queue report unavailable - mail system is down ({text})", UNAVAILABLE)
    warn(_PROGRAM, f"warning: Mail system is down -- accessing queue directly ({text})")
    yield from map(shaped, _from_files(config))


def _from_files(config: Snapshot) -> Iterator[dict[str, Any]]:
    from pytwfix.showq.listing import list_queues
    from pytwfix.spool.paths import QueuePaths

    depth = int(value(config, "hash_queue_depth"))
    paths = QueuePaths(value(config, "queue_directory"), value(config, "hash_queue_names"), depth)
    try:
        yield from list_queues(paths)
    except OSError as error:
        die(_PROGRAM, f"{error.filename}: {error.strerror}", UNAVAILABLE)


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
        for _ in ask(f"{value(config, 'queue_directory')}/submit/socket", request):
            continue
    except ControlDown as error:
        text = f"unable to look up public/qmgr: {error}" if letter == "-f" else f"connect to public/flush: {error}"
        warn(_PROGRAM, f"warning: {text}")
        die(_PROGRAM, "Cannot flush mail queue - mail system is down", UNAVAILABLE)
    except ControlError as error:
        die(_PROGRAM, str(error), error.code)


if __name__ == "__main__":
    sys.exit(main())
