"""`twistd [-n] pytwfix [-c DIR] [--inline | --workers N] [--personal]`: options to service. The reactor comes in here.

Which configuration: -c, else MAIL_CONFIG, else /etc/postfix for root, else the personal instance of an ordinary user.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.application.service import MultiService
from twisted.python import usage

from pytwfix.master.startup import StartError


class Options(usage.Options):
    """What may follow `twistd pytwfix`."""

    optFlags = [
        ["inline", None, "Run everything in one process (as root: one without root's rights, with its keeper)."],
        ["personal", None, "Run a mail system of your own on 127.0.0.1:2525, on a configuration made for it."],
    ]
    optParameters = [
        ["config", "c", None, "The directory that holds main.cf and master.cf."],
        ["workers", "w", None, "How many processes serve the network.", int],
    ]

    def postOptions(self) -> None:
        """Our lock and pid are pid/master.pid: twistd's own file would stand in the way of a second instance."""
        if self["inline"] and self["workers"] is not None:
            raise usage.UsageError("--inline and --workers exclude each other")
        if self["workers"] is not None and self["workers"] < 1:
            raise usage.UsageError("--workers: at least one")
        parent: Any = getattr(self, "parent", None)
        if parent is not None:
            parent["pidfile"] = ""
            if not parent.get("logfile") and not parent.get("logger"):
                parent["logger"] = "pytwfix.master.twistdlog.observer"


def makeService(options: Options) -> MultiService:
    """The whole mail system. SystemExit with a line for people when it cannot start."""
    from twisted.internet import reactor

    try:
        return _make(options, reactor)
    except StartError as error:
        raise SystemExit(f"pytwfix: fatal: {error}") from None


def _make(options: Options, reactor: Any) -> MultiService:
    from pytwfix.master import personal
    from pytwfix.master.assembly import assemble

    directory = options["config"] or os.environ.get("MAIL_CONFIG")
    if options["personal"] or (directory is None and os.geteuid() != 0):
        return personal.make(reactor, options["workers"])
    return assemble(os.path.abspath(directory or "/etc/postfix"), reactor, options["workers"], bool(options["inline"]))
