"""Defaults that depend on this machine: its name, its domain, the networks that it is on, where the commands are.

Addresses come from the kernel by netlink, one question; nothing is resolved. mynetworks_style (DL-1, LK-9): `host` is
our own addresses, `subnet` the networks of our interfaces, `class` their old class A, B or C networks.
"""

from __future__ import annotations

import os
import socket
import struct
import sys

from pytwfix.basics.macros import MacroError, expand
from pytwfix.settings.kinds import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.basics.macros import Lookup
    from pytwfix.settings.snapshot import Snapshot

PROTOCOLS = ("all", "ipv4", "ipv6")
STYLES = ("host", "subnet", "class")
LOCAL_DOMAIN = "localdomain"
_GET_ADDRESSES, _DUMP, _DONE = 22, 0x301, 3
_IFA_ADDRESS, _IFA_LOCAL = 1, 2


def myhostname(snapshot: Snapshot) -> str:
    """The kernel's name for this machine; a name without a dot gets a domain."""
    name = os.uname().nodename
    if "." in name:
        return name
    return f"{name}.{LOCAL_DOMAIN if snapshot.stated('mydomain') is None else _stated(snapshot, 'mydomain')}"


def mydomain(snapshot: Snapshot) -> str:
    """What follows the first dot of myhostname."""
    name = os.uname().nodename if snapshot.stated("myhostname") is None else _stated(snapshot, "myhostname")
    return name.partition(".")[2] or LOCAL_DOMAIN


def _stated(snapshot: Snapshot, name: str) -> str:
    """A value, expanded by what is stated alone: other defaults are made of this one."""
    try:
        return expand(snapshot.stated(name) or "", snapshot.stated, recursive=True)
    except MacroError as error:
        raise SettingsError(str(error)) from error


def _without_networks(snapshot: Snapshot, text: str) -> str:
    """What mynetworks is made of cannot be made of it."""

    def lookup(name: str) -> str | None:
        return snapshot.stated(name) if name == "mynetworks" else snapshot.get(name)

    try:
        return expand(text, lookup, recursive=True)
    except MacroError as error:
        raise SettingsError(str(error)) from error


def mynetworks(snapshot: Snapshot) -> str:
    """The networks that mynetworks_style asks for, of the interfaces that inet_interfaces and inet_protocols leave."""
    style = _without_networks(snapshot, "$mynetworks_style")
    stated = snapshot.stated("inet_protocols")
    wanted = _families("all" if stated is None else _stated(snapshot, "inet_protocols"))
    only = _only(_without_networks(snapshot, "$inet_interfaces"))
    found: list[str] = []
    for family, packed, length in interfaces():
        text = socket.inet_ntop(family, packed)
        if family not in wanted or (only is not None and text not in only):
            continue
        network = _network(family, packed, _width(style, family, packed, length))
        if network not in found:
            found.append(network)
    return " ".join(found)


def check_networks(snapshot: Snapshot, expand_text: Callable[[str, Lookup | None], str]) -> None:
    """SettingsError when mynetworks is to be made of settings that mean nothing.

    :param expand_text: expands a text by a lookup, or by all that there is.
    """
    if snapshot.stated("mynetworks") is None:
        check_protocols_and_interfaces(snapshot, expand_text)


def check_protocols_and_interfaces(snapshot: Snapshot, expand_text: Callable[[str, Lookup | None], str]) -> None:
    """SettingsError for a value of inet_protocols, inet_interfaces or mynetworks_style that there is not."""
    stated = snapshot.stated("inet_protocols")  # Postfix needs it before it knows other defaults
    protocols = "" if stated is None else expand_text(stated, snapshot.stated)
    for word in protocols.replace(",", " ").split():
        if word.lower() not in PROTOCOLS:
            raise SettingsError(f'unknown inet_protocols value "{word}" in "{protocols}"')
    for word in expand_text("$inet_interfaces", None).replace(",", " ").split():
        if word not in ("all", "loopback-only") and not _addresses(word.strip("[]")):
            raise SettingsError(f"config variable inet_interfaces: host not found: {word}")
    style = expand_text("$mynetworks_style", None)
    if style not in STYLES:
        raise SettingsError(f'unknown mynetworks mask style value "{style}" in "{style}"')


def command_directory(snapshot: Snapshot) -> str:
    """Where postconf is installed beside this Python, else the usual place."""
    folder = os.path.join(sys.prefix, "bin")
    return folder if os.path.exists(os.path.join(folder, "postconf")) else "/usr/sbin"


def _command(name: str, usual: str) -> Callable[[Snapshot], str]:
    def path(snapshot: Snapshot) -> str:
        own = os.path.join(sys.prefix, "bin", name)
        return own if os.path.exists(own) else usual

    return path


def interfaces() -> list[tuple[int, bytes, int]]:
    """(family, address, prefix length) of every address of this machine, loopback first."""
    found = [*_dump(socket.AF_INET), *_dump(socket.AF_INET6)]
    return sorted(found, key=lambda one: (one[0], not _loopback(one)))


def own_addresses(inet_interfaces: str) -> frozenset[bytes]:
    """The addresses, as text, that inet_interfaces or proxy_interfaces say; names are looked up, which may block."""
    only = _only(inet_interfaces)
    found = (socket.inet_ntop(one[0], one[1]) for one in interfaces()) if only is None else iter(only)
    return frozenset(address.encode() for address in found)


def _families(protocols: str) -> set[int]:
    words = protocols.replace(",", " ").lower().split()
    families = set()
    if "all" in words or "ipv4" in words:
        families.add(int(socket.AF_INET))
    if "all" in words or "ipv6" in words:
        families.add(int(socket.AF_INET6))
    return families


def _only(inet_interfaces: str) -> set[str] | None:
    """The addresses that inet_interfaces names, None for all."""
    words = inet_interfaces.replace(",", " ").split()
    if "all" in words:
        return None
    only: set[str] = set()
    for word in words:
        if word == "loopback-only":
            only.update(socket.inet_ntop(one[0], one[1]) for one in interfaces() if _loopback(one))
        else:
            only.update(_addresses(word.strip("[]")))
    return only


def _addresses(host: str) -> set[str]:
    try:
        return {str(answer[4][0]) for answer in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def _loopback(one: tuple[int, bytes, int]) -> bool:
    return one[1][0] == 127 if one[0] == socket.AF_INET else one[1] == b"\0" * 15 + b"\1"


def _width(style: str, family: int, packed: bytes, length: int) -> int:
    if style == "host":
        return len(packed) * 8
    if style == "class" and family == socket.AF_INET:
        return 8 if packed[0] < 128 else 16 if packed[0] < 192 else 24
    return length


def _network(family: int, packed: bytes, length: int) -> str:
    bits = len(packed) * 8
    number = int.from_bytes(packed, "big") >> (bits - length) << (bits - length)
    text = socket.inet_ntop(family, number.to_bytes(len(packed), "big"))
    return f"[{text}]/{length}" if family == socket.AF_INET6 else f"{text}/{length}"


def _dump(family: int) -> list[tuple[int, bytes, int]]:
    """Ask the kernel; nothing when it does not say."""
    found: list[tuple[int, bytes, int]] = []
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
            link.bind((0, 0))
            link.send(struct.pack("=IHHIIBBBBI", 24, _GET_ADDRESSES, _DUMP, 1, 0, family, 0, 0, 0, 0))
            while _messages(link.recv(65536), family, found):
                pass
    except OSError:
        return found
    return found


def _messages(data: bytes, family: int, found: list[tuple[int, bytes, int]]) -> bool:
    """Add what `data` tells; True while more is to come."""
    at = 0
    while at + 16 <= len(data):
        size, kind = struct.unpack_from("=IH", data, at)
        if kind != _GET_ADDRESSES - 2 or size < 24:
            return False
        if data[at + 16] == family:
            address = _address(data[at + 24 : at + size])
            if address:
                found.append((int(family), address, data[at + 17]))
        at += (size + 3) & ~3
    return True


def _address(attributes: bytes) -> bytes:
    """IFA_LOCAL, else IFA_ADDRESS: they differ on a point-to-point link."""
    values: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(attributes):
        size, kind = struct.unpack_from("=HH", attributes, at)
        if size < 4:
            break
        values[kind] = attributes[at + 4 : at + size]
        at += (size + 3) & ~3
    return values.get(_IFA_LOCAL) or values.get(_IFA_ADDRESS) or b""


DEFAULTS: dict[str, Callable[[Snapshot], str]] = {
    "myhostname": myhostname,
    "mydomain": mydomain,
    "mynetworks": mynetworks,
    "command_directory": command_directory,
    "sendmail_path": _command("sendmail", "/usr/sbin/sendmail"),
    "mailq_path": _command("mailq", "/usr/bin/mailq"),
    "newaliases_path": _command("newaliases", "/usr/bin/newaliases"),
}
