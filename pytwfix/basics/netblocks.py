"""Networks as address patterns: `192.0.2.1`, `192.0.2.0/24`, `[2001:db8::]/32`, `2001:db8::/32` (DL-1, MT-4, LK-9).

Addresses are packed by the system, so that "010.1" and other old forms are no addresses. Raises ValueError.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

_MAPPED = bytes(10) + b"\xff\xff"


class NetBlock:
    """One network. `contains` takes a packed address; an IPv4-mapped IPv6 address counts as IPv4."""

    __slots__ = ("_length", "_shift", "_value", "prefix")

    def __init__(self, packed: bytes, prefix: int) -> None:
        self.prefix = prefix
        self._length = len(packed)
        self._shift = len(packed) * 8 - prefix
        self._value = int.from_bytes(packed, "big") >> self._shift

    def contains(self, packed: bytes) -> bool:
        """`packed` is 4 or 16 bytes."""
        return len(packed) == self._length and int.from_bytes(packed, "big") >> self._shift == self._value

    def matches(self, address: str) -> bool:
        """The same for an address as text; False for what is no address."""
        packed = pack(address)
        return packed is not None and self.contains(packed)

    def __str__(self) -> str:
        packed = (self._value << self._shift).to_bytes(self._length, "big")
        return f"{unpack(packed)}/{self.prefix}"


def pack(address: str) -> bytes | None:
    """4 or 16 bytes, None for what is no address. IPv4 mapped into IPv6 comes out as IPv4."""
    try:
        if ":" not in address:
            return inet_pton(AF_INET, address)
        packed = inet_pton(AF_INET6, address)
    except (OSError, ValueError):
        return None
    return packed[12:] if packed[:12] == _MAPPED else packed


def unpack(packed: bytes) -> str:
    """The usual text of a packed address."""
    return inet_ntop(AF_INET if len(packed) == 4 else AF_INET6, packed)


def parse_netblock(text: str) -> NetBlock:
    """The network of a pattern, without surrounding white space.

    :raises ValueError: no address, a bad prefix length, or host bits that are not zero.
    """
    address, slash, length = text.partition("/")
    packed = pack(_unbracketed(address, text))
    if packed is None:
        raise ValueError(f'bad network value: "{address}" in "{text}"' if slash else f'bad address pattern: "{text}"')
    bits = len(packed) * 8
    if not slash:
        return NetBlock(packed, bits)
    if not (length.isascii() and length.isdigit() and int(length) <= bits):
        raise ValueError(f'bad mask value: "{length}" in "{text}"')
    prefix = int(length)
    network = (int.from_bytes(packed, "big") >> (bits - prefix) << (bits - prefix)).to_bytes(len(packed), "big")
    if network != packed:
        better = f"{unpack(network)}/{prefix}"
        raise ValueError(f'non-null host address bits in "{text}", perhaps you should use "{better}" instead')
    return NetBlock(packed, prefix)


def _unbracketed(address: str, text: str) -> str:
    if not address.startswith("["):
        return address
    if not address.endswith("]"):
        raise ValueError(f'missing "]" character in "{text}"')
    return address[1:-1]
