"""What a server can do, from its answer to EHLO or LHLO (RFC 5321 section 4.1.1.1). Pure; nothing raises."""

from __future__ import annotations

from collections.abc import Collection

from pytwfix.dialogs.smtp_client_replies import Answer


class Features:
    """Keywords in upper case, each with its arguments."""

    __slots__ = ("host", "keywords")

    def __init__(self, host: str = "", keywords: dict[str, str] | None = None) -> None:
        self.host = host
        self.keywords = keywords or {}

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    def words(self, keyword: str) -> list[str]:
        """The arguments of a keyword in upper case."""
        return self.keywords.get(keyword, "").upper().split()

    @property
    def size(self) -> int:
        """The limit that SIZE announces; 0 for none."""
        value = self.keywords.get("SIZE", "").partition(" ")[0]
        return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else 0


def parse_features(answer: Answer, discard: Collection[str] = ()) -> Features:
    """`discard` are keywords to overlook, in lower case. `AUTH=` of old servers counts as AUTH."""
    host = ""
    keywords: dict[str, str] = {}
    for number, line in enumerate(answer.lines):
        text = line[4:].decode("ascii", "replace").strip()
        if not number:
            host = text.partition(" ")[0]
            continue
        word, _, rest = text.partition(" ")
        if word[:5].upper() == "AUTH=":
            word, rest = "AUTH", f"{word[5:]} {rest}".strip()
        if word and word.lower() not in discard:
            known = keywords.get(word.upper())
            keywords[word.upper()] = f"{known} {rest}" if known and word.upper() == "AUTH" else rest
    return Features(host, keywords)
