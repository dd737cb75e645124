"""Which macros go with which event, and their values (MI-5)."""

from __future__ import annotations

from pytwfix.contracts.milters import IMacros
from pytwfix.dialogs.milter import (
    BODY,
    CONNECT,
    DATA,
    END_OF_BODY,
    END_OF_HEADER,
    HEADER,
    HELO,
    MAIL,
    RCPT,
    UNKNOWN,
    Agreement,
    macros,
)  # fmt: skip
from pytwfix.settings.milter import MilterSettings

# Headers and pieces of the body come with the macros of the stage that they lead to.
_STAGE = {HEADER: END_OF_HEADER, BODY: END_OF_BODY}


class MacroLists:
    """The milter_*_macros of one settings snapshot, split once."""

    __slots__ = ("_defaults", "_lists")

    def __init__(self, cfg: MilterSettings) -> None:
        self._lists = {
            CONNECT: _names(cfg.milter_connect_macros),
            HELO: _names(cfg.milter_helo_macros),
            MAIL: _names(cfg.milter_mail_macros),
            RCPT: _names(cfg.milter_rcpt_macros),
            DATA: _names(cfg.milter_data_macros),
            END_OF_HEADER: _names(cfg.milter_end_of_header_macros),
            END_OF_BODY: _names(cfg.milter_end_of_data_macros),
            UNKNOWN: _names(cfg.milter_unknown_command_macros),
        }
        self._defaults: dict[str, str] = {}
        for name, value in _defaults(cfg.milter_macro_defaults):
            self._defaults[bare(name)] = value

    def names(self, command: bytes, agreement: Agreement | None = None) -> list[str]:
        stage = _STAGE.get(command, command)
        if agreement is not None and stage in agreement.symbols:
            return agreement.symbols[stage]
        return self._lists[stage]

    def packet(self, command: bytes, agreement: Agreement, values: IMacros) -> bytes:
        """What goes before a command, even when it is empty: it takes back what went before the last one."""
        known: list[tuple[str, str]] = []
        for name in self.names(command, agreement):
            plain = bare(name)
            value = values.macro(plain) or self._defaults.get(plain)
            if value:
                known.append((name, value))
        return macros(command, known)


def bare(name: str) -> str:
    return name[1:-1] if name[:1] == "{" and name[-1:] == "}" else name


def _names(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _defaults(text: str) -> list[tuple[str, str]]:
    """`name=value`, `{name}=value`, `{ name = value with spaces }`."""
    out: list[tuple[str, str]] = []
    word, depth = "", 0
    for char in text + " ":
        depth += (char == "{") - (char == "}" and depth > 0)
        if char not in ", \t\r\n" or depth:
            word += char
            continue
        inner = word[1:-1] if word[:1] == "{" and word[-1:] == "}" else word
        name, equals, value = inner.partition("=")
        if equals:
            out.append((name.strip(), value.strip()))
        word = ""
    return out
