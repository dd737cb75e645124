"""What postconf lists about the program itself: -a -A -l -m -T, and bounce templates: -b -t (PC-1, PC-2, PC-6)."""

from __future__ import annotations

import sys

from pytwfix.commands.postconf import Options, warn
from pytwfix.settings.maincf import read_main
from pytwfix.settings.snapshot import Snapshot

LOCKS = ("flock", "fcntl", "dotlock")
SERVER_SASL = ("dovecot",)
CLIENT_SASL = ("cyrus",)
KEY_ALGORITHMS = ("dsa", "ecdsa", "rsa", "ed25519", "ed448")


def run(options: Options, directory: str) -> int:
    """Print the list that was asked for."""
    if not options.letters.isdisjoint("bt"):
        return _templates(options, directory)
    for letter, names in (("a", SERVER_SASL), ("A", CLIENT_SASL), ("l", LOCKS)):
        if options.has(letter):
            print("\n".join(names))
    if options.has("m"):
        from pytwfix.tables.registry import TYPES

        print("\n".join(sorted({*TYPES, "proxy", "debug"})))
    if options.has("T"):
        _tls(options.report)
    return 0


def _tls(report: str) -> None:
    """Which OpenSSL this is. Compiled against and running are the same one: the ssl module's."""
    if report in ("compile-version", "run-version"):
        from cryptography.hazmat.backends.openssl.backend import backend

        print(backend.openssl_version_text())
    elif report == "public-key-algorithms":
        print("\n".join(KEY_ALGORITHMS))
    else:
        warn(f"unknown 'postconf -T' mode: {report}")


def _templates(options: Options, directory: str) -> int:
    """The texts of notices, with their names expanded for -b."""
    from pytwfix.bounce import templates

    snapshot = Snapshot(read_main(directory).values)
    path = options.arguments[0] if options.arguments else ""
    try:
        found = templates.read(path, snapshot) if path else templates.builtin(snapshot)
    except OSError as error:
        print(f"postfix/bounce: fatal: open {path}: {error.strerror}", file=sys.stderr)
        return 1
    for warning in found.warnings:
        print(f"postfix/bounce: warning: {warning}", file=sys.stderr)
    print(found.expanded(snapshot) if options.has("b") else found.text(), end="")
    return 0
