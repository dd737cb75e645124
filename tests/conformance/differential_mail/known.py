"""Where we and Debian's 3.7 differ on purpose, or in what no mail that means something has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.conformance.differential_mail.alike import alike

if TYPE_CHECKING:
    from tests.conformance.differential_mail.compare import Seen
    from tests.conformance.differential_mail.mails import Mail

_TYPES = re.compile(r"^content-type:", re.MULTILINE | re.IGNORECASE)
_ENCODINGS = re.compile(r"^content-transfer-encoding: *(8bit|binary)", re.MULTILINE | re.IGNORECASE)


def known(one: Mail, theirs: Seen, ours: Seen) -> str:
    """The name of a difference, or "" for what should have been the same."""
    header, _, body = one.content.partition("\n\n")
    if alike(theirs, ours, lambda text: text.replace(" BODY=8BITMIME", "").replace(" BODY=7BIT", "")):
        if _ENCODINGS.search(body) or len(_TYPES.findall(header)) > 1:
            return "an encoding in the text of a mail whose type says that it has no parts"
    if "\0" in body and alike(theirs, ours, lambda text: re.sub(r"\0.*|SIZE=\d+", "", text)):
        return "NUL in a part's header, which nothing looks at"
    if " : " in body and alike(theirs, ours, lambda text: re.sub(r" +:|SIZE=\d+", ":", text)):
        return "space before a colon in a part's header, which nothing looks at"
    if "nesting for" in "".join(theirs.logged) and theirs.delivered == ours.delivered:
        return "addresses of a field that is dropped are not mapped before"
    if re.search(r"[<\"][^>\"\n]*$", header, re.MULTILINE) and alike(theirs, ours, _plain):
        return "how an address that is not closed is put together again"
    if len(_TYPES.findall(header)) > 1 and theirs.delivered == ours.delivered:
        return "boundaries of a Content-Type that another one follows"
    return ""


def _plain(text: str) -> str:
    return re.sub(r"\s+|SIZE=\d+|[<>\",;:]|@test\.example|@[a-z.]+", "", text)
