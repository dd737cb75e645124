"""What those who count TLS sessions and those who report them have in common (RFC 8460)."""

from __future__ import annotations

from pytwfix.settings.group import Group
from pytwfix.settings.kinds import boolean, time


class TlsrptSettings(Group):
    """What those who count TLS sessions and those who report them have in common."""

    pytwfix_tlsrpt = boolean("no", "Count how TLS to domains that want to know went, for reports (RFC 8460).")
    pytwfix_tlsrpt_period = time("1d", "The time that one report is about; other domains expect a day.", minimum=1)
