"""The functions of macro text, `${name{text}}` (MC-6). A ValueError says that the text is not what they take."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _to_ascii(domain: str) -> str:
    import idna

    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")


def _to_utf8(domain: str) -> str:
    import idna

    return idna.decode(domain) if "xn--" in domain.lower() else domain


FUNCTIONS: dict[str, Callable[[str], str]] = {"domain_to_ascii": _to_ascii, "domain_to_utf8": _to_utf8}
