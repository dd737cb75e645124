"""Where we and Debian's 3.7 differ on purpose: INVENTORY is about 3.11, and a few of 3.7's habits are mistakes."""

from __future__ import annotations

from itertools import pairwise


def known(before: list[tuple[str, str]], line: str, theirs: str, ours: str) -> str:
    """The name of a difference, or "" for a reply that should have been the same. `before` are (line, reply)."""
    verb = line.partition(" ")[0].upper()
    if verb == "HELP" and ours.startswith("214"):
        return "HELP is new in 3.8"
    if verb == "VRFY" and theirs[:1] == "4" and _without_mail(before):
        return "what an earlier mail's client was to be deferred for is no matter of a VRFY after it"
    if verb in ("MAIL", "RCPT", "DATA", "ETRN", "BDAT") and _refused_at_the_end(before):
        return "a mail that was refused after its end is over (RFC 5321 section 3.3)"
    if "access denied" in ours and any(len(line.split()) > 2 and "BDAT" in line for line, _ in [*before, (line, "")]):
        return "what a client sends with BDAT is read as content even when nobody wants it"
    if "User unknown" in ours and "Sender address" in ours and _unlisted(before):
        return "a sender that does not exist is refused each time, not once a mail"
    if verb == "MAIL" and "Message size exceeds" in theirs and "SIZE=" not in line and _said_size(before):
        return "the SIZE of a refused MAIL counts for that MAIL alone"
    return ""


def _refused_at_the_end(before: list[tuple[str, str]]) -> bool:
    """Whether the end of some mail's content was answered with a refusal."""
    replies = [("", ""), *before]
    return any(
        reply[:1] in "45" and (last.startswith("354") or (line.upper().startswith("BDAT") and "LAST" in line))
        for (_, last), (line, reply) in pairwise(replies)
        if reply
    )


def _without_mail(before: list[tuple[str, str]]) -> bool:
    """Whether there was a mail, and it is over."""
    verbs = [line.partition(" ")[0].upper() for line, _ in before]
    return "RSET" in verbs and "MAIL" in verbs and "MAIL" not in verbs[len(verbs) - verbs[::-1].index("RSET") :]


def _unlisted(before: list[tuple[str, str]]) -> bool:
    return any(line.upper().startswith("RCPT") for line, _ in before)


def _said_size(before: list[tuple[str, str]]) -> bool:
    return any(line.upper().startswith("MAIL") and "SIZE=" in line for line, _ in before)
