"""Who is connected, and who an authorised client says that it speaks for (SD-43, SD-44, SD-46)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from pytwfix.dialogs.smtp_parameters import TEMPUNAVAIL, UNAVAILABLE
from pytwfix.mail.envelope import Client

if TYPE_CHECKING:
    from pytwfix.contracts.dns import ClientNames
    from pytwfix.contracts.host import IHost

UNKNOWN = "unknown"
FINE, TRY_AGAIN, NONE = 2, 4, 5


class Connected:
    """The client as logs, checks and cleanup see it. Statuses are those of `ClientNames`."""

    __slots__ = (
        "address",
        "helo",
        "namaddr",
        "name",
        "name_status",
        "port",
        "protocol",
        "reverse_name",
        "reverse_status",
        "sasl_method",
        "sasl_username",
        "server_address",
        "server_port",
        "trusted",
        "unsure",
    )

    def __init__(self, address: str, port: str, server_address: str, server_port: str) -> None:
        self.address = address
        self.port = port
        self.server_address = server_address
        self.server_port = server_port
        self.unsure = ""  # what EHLO should announce, when a table did not say
        self.name = self.reverse_name = UNKNOWN
        self.name_status = self.reverse_status = NONE
        self.helo = ""
        self.protocol = ""
        self.sasl_method = ""
        self.sasl_username = ""
        self.trusted: bool | None = None  # whether mynetworks has it; None: not asked yet
        self.namaddr = f"{UNKNOWN}[{address}]"

    def named(self, names: ClientNames) -> None:
        self.name = names.name
        self.reverse_name = names.reverse
        self.name_status = names.name_status
        self.reverse_status = names.reverse_status
        self._renamed()

    def log_port(self) -> None:
        """smtpd_client_port_logging."""
        self.namaddr = f"{self.name}[{self.address}]:{self.port}"

    def _renamed(self) -> None:
        self.namaddr = f"{self.name}[{self.address}]"
        self.trusted = None

    def replace(self, values: dict[str, str]) -> None:
        """What XCLIENT says (SD-43). Names follow an address only when they are given."""
        if "NAME" in values:
            self.name, self.name_status = _name(values["NAME"])
            self.reverse_name = self.name
            self.reverse_status = FINE if self.name_status == FINE else NONE
        if "REVERSE_NAME" in values:
            self.reverse_name, self.reverse_status = _name(values["REVERSE_NAME"])
        self.address = _text(values, "ADDR", self.address, UNKNOWN)
        self.port = _text(values, "PORT", self.port, UNKNOWN)
        self.helo = _text(values, "HELO", "", "")
        self.protocol = _text(values, "PROTO", "", "")
        if "LOGIN" in values:
            self.sasl_username = _text(values, "LOGIN", "", "")
            self.sasl_method = "XCLIENT" if self.sasl_username else ""
        self.server_address = _text(values, "DESTADDR", self.server_address, UNKNOWN)
        self.server_port = _text(values, "DESTPORT", self.server_port, UNKNOWN)
        self._renamed()

    @property
    def address_type(self) -> str:
        """The address family's number, as queue files hold it."""
        return _family(self.address)

    @property
    def rfc_address(self) -> str:
        """As it stands in Received: IPv6 with its prefix."""
        return f"IPv6:{self.address}" if ":" in self.address else self.address

    def envelope(self, helo: str, protocol: str) -> Client:
        return Client(
            name=self.name,
            address=self.address,
            port=self.port,
            helo=helo,
            protocol=protocol,
            reverse_name=self.reverse_name,
            address_type=self.address_type,
            server_address=self.server_address,
            server_port=self.server_port,
            sasl_method=self.sasl_method,
            sasl_username=self.sasl_username,
        )


def _family(address: str) -> str:
    if address == UNKNOWN:
        return ""
    return str(int(socket.AF_INET6 if ":" in address else socket.AF_INET))


def _name(value: str) -> tuple[str, int]:
    if value == UNAVAILABLE:
        return UNKNOWN, NONE
    if value == TEMPUNAVAIL:
        return UNKNOWN, TRY_AGAIN
    return value, FINE


def _text(values: dict[str, str], name: str, old: str, missing: str) -> str:
    value = values.get(name, old)
    return missing if value in (UNAVAILABLE, TEMPUNAVAIL) else value


class Forwarded:
    """What XFORWARD said, until the next mail has ended (SD-44)."""

    __slots__ = ("client", "ident", "local", "used")

    def __init__(self) -> None:
        self.used = False
        self.client = Client()
        self.ident = ""
        self.local: bool | None = None

    def update(self, values: dict[str, str]) -> None:
        self.used = True
        fields = {"NAME": "name", "ADDR": "address", "PORT": "port", "PROTO": "protocol", "HELO": "helo"}
        for name, field in fields.items():
            if name in values:
                setattr(self.client, field, _text(values, name, "", UNKNOWN))
        if "ADDR" in values:
            self.client.address_type = _family(self.client.address)
        if "NAME" in values:
            self.client.reverse_name = self.client.name
        if "IDENT" in values:
            self.ident = _text(values, "IDENT", "", "")
        if "SOURCE" in values:
            self.local = values["SOURCE"] == "LOCAL"


async def look_up(host: IHost, client: Connected, peername_lookup: bool) -> None:
    """Ask the system's name service for the client's name; a name that does not lead back is not its name."""
    if not peername_lookup:
        return
    names = await host.names.client(client.address)
    if names.warning:
        host.log.warning(names.warning)
    client.named(names)
