"""What postconf lists about the program itself: -a -A -l -m -T, and bounce templates: -b -t (PC-1, PC-2, PC-6)."""

from __future__ import annotations

import sys

from pytwfix.commands.postconf import warn
from pytwfix.commands.postconfoptions import Options
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.maincf import read_main, read_text
from pytwfix.settings.snapshot import Snapshot

LOCKS = ("flock", "fcntl", "dotlock")
SERVER_SASL = ("cyrus", "dovecot", "table")
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
        from pytwfix.tables.registry import types

        print("\n".join(types()))
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
    from pytwfix.bounce.templates import TemplateError, Templates, parse_templates

    snapshot = Snapshot(read_main(directory).values)
    path = options.arguments[0] if options.arguments else snapshot.expand("$bounce_template_file")
    try:
        found = parse_templates(read_text(path), path) if path else Templates()
        for warning in found.warnings:
            _say(f"warning: {warning}")
        text = found.expanded(snapshot, lambda warning: _say(f"warning: {warning}")) if options.has("b") else ""
    except (TemplateError, SettingsError) as error:
        _say(f"fatal: {error}")
        return 1
    print(text or found.source(), end="")
    return 0


def _say(text: str) -> None:
    print(f"postfix/bounce: {text}", file=sys.stderr)
