"""$name in forward_path, luser_relay, command_execution_directory (LO-6).

Values come from the outside, so that characters which the filter does not list become `_`.
"""

from __future__ import annotations

from pytwfix.basics.macros import expand
from pytwfix.deliver.accounts import Account
from pytwfix.deliver.local.target import Target
from pytwfix.tables.addresses import external_form


def values(target: Target, account: Account | None) -> dict[str, str]:
    """What an address offers: user shell home recipient extension domain local recipient_delimiter."""
    found = {
        "user": _text(target.user),
        "local": _text(target.local),
        "domain": _text(target.domain),
        "recipient": _text(external_form(target.address)),
        "mailbox": _text(target.local),
        "extension": _text(target.extension),
        "recipient_delimiter": _text(target.found_delimiter),
    }
    if account is not None:
        found.update(home=account.home, shell=account.shell)
    return found


def filtered(text: str, names: dict[str, str], allowed: str) -> str:
    """`text` with its macros expanded; ValueError when its syntax is wrong."""
    safe = {name: censored(value, allowed) for name, value in names.items()}
    return expand(text, safe.get)


def censored(value: str, allowed: str) -> str:
    return "".join(char if char in allowed else "_" for char in value)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
