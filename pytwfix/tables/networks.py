"""IP addresses and networks as numbers: what match lists and cidr tables compare.

An address is (bits, number): bits 32 or 128. ::ffff:1.2.3.4 is taken as it is written. Raises ValueError with Postfix's
words.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

Address = tuple[int, int]


def parse_address(text: str) -> Address:
    """`192.0.2.1`, `2001:db8::1`. ValueError for anything else."""
    try:
        if ":" in text:
            return 128, int.from_bytes(inet_pton(AF_INET6, text))
        return 32, int.from_bytes(inet_pton(AF_INET, text))
    except OSError:
        raise ValueError(text) from None


def show_address(bits: int, number: int) -> str:
    if bits == 128:
        return inet_ntop(AF_INET6, number.to_bytes(16))
    return inet_ntop(AF_INET, number.to_bytes(4))


def parse_network(text: str) -> tuple[int, int, int]:
    """`net/len`, `[v6]/len`, or an address: (bits, network, prefix length). ValueError says what is wrong."""
    if text.startswith("["):
        text = _without_brackets(text)
    net, slash, length = text.partition("/")
    if slash and not length.isdigit():
        raise ValueError(f'bad mask value in "{text}"')
    try:
        bits, number = parse_address(net)
    except ValueError:
        raise ValueError(f'bad network value in "{text}"' if slash else f'bad address pattern: "{text}"') from None
    if not slash:
        return bits, number, bits
    prefix = int(length)
    if prefix > bits:
        raise ValueError(f'bad mask length in "{text}"')
    hosts = bits - prefix
    if number & ((1 << hosts) - 1):
        right = show_address(bits, number >> hosts << hosts)
        raise ValueError(f'non-null host address bits in "{text}", perhaps you should use "{right}/{prefix}" instead')
    return bits, number, prefix


def _without_brackets(text: str) -> str:
    net, closing, after = text[1:].partition("]")
    if not closing:
        raise ValueError(f"missing ']' character after \"{text}\"")
    if after[:1] not in ("", "/"):
        raise ValueError(f'garbage after "[{net}]"')
    return net + after


class NetworkSet:
    """Networks without order: one set for each prefix length, so that a test costs a few lookups however many."""

    __slots__ = ("_by_prefix",)

    def __init__(self) -> None:
        self._by_prefix: dict[tuple[int, int], set[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_prefix)

    def add(self, bits: int, network: int, prefix: int) -> None:
        self._by_prefix.setdefault((bits, prefix), set()).add(network >> (bits - prefix))

    def matches(self, address: Address) -> bool:
        bits, number = address
        for (size, prefix), networks in self._by_prefix.items():
            if size == bits and number >> (bits - prefix) in networks:
                return True
        return False
