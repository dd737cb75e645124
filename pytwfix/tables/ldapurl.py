"""LDAP URLs: `ldap://host/base?attributes?scope?filter` (RFC 4516), as entries and referrals have them (NP-5)."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import ldap3

SCOPES = {"sub": ldap3.SUBTREE, "one": ldap3.LEVEL, "base": ldap3.BASE}


def is_url(text: str) -> bool:
    return text.lower().startswith(("ldap://", "ldaps://", "ldapi://"))


class LdapUrl(NamedTuple):
    base: str
    attributes: list[str]  # in lower case
    scope: Any
    scoped: bool  # the URL itself says so
    filter: str

    @classmethod
    def parse(cls, text: str) -> LdapUrl:
        """ValueError."""
        parts = urlsplit(text.replace("#", "%23"))
        attributes, scope, query = ([*parts.query.split("?"), "", "", ""])[:3]
        if scope.lower() not in ("", *SCOPES):
            raise ValueError(f"unknown scope: {scope}")
        return cls(
            unquote(parts.path.removeprefix("/")),
            [unquote(name).lower() for name in attributes.split(",") if name],
            SCOPES.get(scope.lower(), ldap3.BASE),
            bool(scope),
            unquote(query),
        )

    def select(self, wanted: list[str]) -> list[str]:
        """Which of a table's attributes the URL lets through; all, when it names none. Where one of the two names has
        an option (`mail;lang-en`) and the other has none, it is the name with the option."""
        if not self.attributes or "*" in self.attributes:
            return wanted
        selected: list[str] = []
        for name in wanted:
            plain, option, _ = name.partition(";")
            for offered in self.attributes:
                if offered == name or (option and offered == plain):
                    selected.append(name)
                elif not option and offered.partition(";")[0] == plain:
                    selected.append(offered)
        return list(dict.fromkeys(selected))
