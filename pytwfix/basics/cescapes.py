r"""C escapes in values of parameters and attributes: \n, \040. Pure; nothing raises."""

from __future__ import annotations

import re

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unescape(text: str) -> str:
    r"""\a \b \f \n \r \t \v and one to three octal digits; behind another backslash any character is itself."""

    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        return chr(int(code, 8)) if code[0] in "01234567" else _ESCAPES.get(code, code)

    return re.sub(r"\\([0-7]{1,3}|.)", one, text, flags=re.DOTALL)
