"""smtpd_upstream_proxy_protocol: a load balancer in front says who the client is (SD-45)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.accept.smtpd.restrictions import split
from pytwfix.accept.smtpd.safety import Fatal
from pytwfix.dialogs.haproxy import HeaderReader

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.settings import SmtpdSettings


class Upstream:
    """What is expected of every connection of a service."""

    __slots__ = ("_ipv4", "_ipv6", "timeout")

    def __init__(self, cfg: SmtpdSettings) -> None:
        protocols = split(cfg.inet_protocols)
        self._ipv4 = "ipv4" in protocols or "all" in protocols
        self._ipv6 = "ipv6" in protocols or "all" in protocols
        self.timeout = cfg.smtpd_upstream_proxy_timeout

    def reader(self) -> HeaderReader:
        return HeaderReader(self._ipv4, self._ipv6)


def upstream(cfg: SmtpdSettings) -> Upstream | None:
    """None where clients connect themselves. Raises Fatal."""
    name = cfg.smtpd_upstream_proxy_protocol
    if not name:
        return None
    if name != "haproxy":
        raise Fatal(f'smtpd_upstream_proxy_protocol: unsupported protocol "{name}"')
    return Upstream(cfg)
