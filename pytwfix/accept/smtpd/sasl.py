"""What smtpd wants of a SASL implementation, and which one main.cf names (SD-41).

`begin` gives an `Exchange`; `start` and `respond` move it by a step. Base64 is the session's business. Nothing here
raises for what a client or an authentication server says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from pytwfix.accept.smtpd.safety import Fatal

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.settings import SmtpdSettings
    from pytwfix.accept.smtpd.state import State
    from pytwfix.contracts.host import IHost
    from pytwfix.dialogs.dovecot_auth import Mechanism

CHALLENGE, DONE, REFUSED, UNAVAILABLE = range(4)

# smtpd_sasl_security_options: a mechanism with this property is not offered, or one without it.
_FORBIDDEN = {
    "noplaintext": "plaintext",
    "noactive": "active",
    "nodictionary": "dictionary",
    "noanonymous": "anonymous",
}
_NEEDED = {"mutual_auth": "mutual-auth", "forward_secrecy": "forward-secrecy"}


class Step(NamedTuple):
    """`data` is the challenge; `text` why it was refused; `user` who it is, as far as that is known."""

    kind: int
    data: bytes = b""
    text: str = ""
    user: str = ""


class Exchange(Protocol):
    """One client's exchange of one mechanism."""

    async def start(self, initial: bytes | None) -> Step: ...
    async def respond(self, data: bytes) -> Step: ...
    def abort(self) -> None:
        """The client does not go on."""


class Sasl(Protocol):
    """An implementation. `mechanisms` is empty while its server does not answer (which is logged)."""

    async def mechanisms(self) -> list[Mechanism]: ...
    def begin(self, state: State, mechanism: str) -> Exchange: ...
    def stop(self) -> None:
        """Connections are no longer wanted."""


def acceptable(mechanisms: list[Mechanism], options: list[str]) -> list[str]:
    """The names that smtpd_sasl_security_options lets through; "private" ones are for nobody."""
    forbidden = {_FORBIDDEN[word] for word in options if word in _FORBIDDEN} | {"private"}
    needed = {_NEEDED[word] for word in options if word in _NEEDED}
    return [one.name for one in mechanisms if not one.properties & forbidden and needed <= one.properties]


def check_options(options: list[str], name: str) -> list[str]:
    """The words of a parameter. Raises Fatal for one that means nothing."""
    words = [word.lower() for word in options]
    for word in words:
        if word not in _FORBIDDEN and word not in _NEEDED:
            raise Fatal(f'{name}: unknown SASL security option "{word}"')
    return words


def implementation(host: IHost, cfg: SmtpdSettings) -> Sasl:
    """What smtpd_sasl_type names. Raises Fatal."""
    kind = cfg.smtpd_sasl_type
    if kind == "dovecot":
        from pytwfix.accept.smtpd.sasl_dovecot import DovecotSasl

        return DovecotSasl(host, cfg)
    if kind == "table":
        from pytwfix.accept.smtpd.sasl_table import TableSasl

        return TableSasl(host, cfg)
    if kind == "cyrus":
        from pytwfix.accept.smtpd.sasl_saslauthd import SaslauthdSasl

        return SaslauthdSasl(host, cfg)
    raise Fatal(f'unsupported SASL server implementation: "{kind}" (there are: dovecot, table, cyrus)')
