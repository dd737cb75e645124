"""The kinds of notices: which template, what they are called, what of the message goes along (DS-1, DS-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytwfix.mail.status import DELAYED, FAILED

if TYPE_CHECKING:
    from pytwfix.bounce.templates import Template, Templates


class Kind(NamedTuple):
    """`template` is a name in Templates; `what` the word in log lines; `attachment` how the last part is described;
    `action` what is done with recipients, "" for what their reports say; `headers_only` leaves the body out."""

    template: str
    what: str
    attachment: str
    action: str = ""
    headers_only: bool = False

    def of(self, templates: Templates) -> Template:
        found: Template = getattr(templates, self.template)
        return found


BOUNCED = Kind("failure", "non-delivery", "Undelivered Message", FAILED)
DELAYING = Kind("delay", "delay", "Undelivered Message", DELAYED, True)
DELIVERED = Kind("success", "delivery status", "Message", "", True)
VERIFIED = Kind("verify", "delivery status", "Message", "", True)
