"""No open relay by omission: the lists that guard relaying must be able to say no (SD-22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.accept.smtpd.restrictions import split
from pytwfix.settings.kinds import SettingsError

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost

WORKING = ("reject_unauth_destination", "defer_unauth_destination", "reject", "defer", "defer_if_permit")


class Fatal(SettingsError):
    """The service must not start; the text is for the log."""


def check_relay_safety(host: IHost, lists: tuple[str, ...], classes: frozenset[str]) -> None:
    """Raises Fatal when neither the relay nor the recipient list holds one of WORKING."""
    if not any(_guards(host, text, classes, 0) for text in lists):
        names = ", ".join(WORKING)
        where = "smtpd_relay_restrictions or smtpd_recipient_restrictions"
        raise Fatal(f"in parameter {where}, specify at least one working instance of: {names} or check_relay_domains")


def _guards(host: IHost, text: str, classes: frozenset[str], depth: int) -> bool:
    previous = ""
    for word in split(text):
        name = word.lower()
        if name in WORKING and previous != "warn_if_reject":
            return True
        if name == "permit" and previous != "warn_if_reject":
            return False  # what follows it is never asked
        if word in classes and depth < 100 and _guards(host, host.parameter(word) or "", classes, depth + 1):
            return True
        previous = name
    return False
