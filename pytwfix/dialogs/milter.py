"""Sendmail's mail filter protocol, versions 2 to 6, the mail system's side (MI-2, MI-3, MI-5): pure.

A packet is four octets of length, a letter, and data. The mail system offers what it can do (`offer`), the filter says
what it wants (`Agreement`); after that each event is a packet of macros (`macros`) and a command (`packet`), which the
filter answers with one packet, or at the end of a mail with any number of edits and then one verdict. `Packets` finds
packets in bytes of any pieces, `read_reply` says what one means. What a filter does wrong raises MilterError with the
words that are logged.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

# Commands.
NEGOTIATE, CONNECT, HELO, MAIL, RCPT, DATA = b"O", b"C", b"H", b"M", b"R", b"T"
HEADER, END_OF_HEADER, BODY, END_OF_BODY = b"L", b"N", b"B", b"E"
UNKNOWN, ABORT, QUIT, MACRO = b"U", b"A", b"Q", b"D"

COMMAND_NAMES = {
    NEGOTIATE: "SMFIC_OPTNEG", CONNECT: "SMFIC_CONNECT", HELO: "SMFIC_HELO", MAIL: "SMFIC_MAIL", RCPT: "SMFIC_RCPT",
    DATA: "SMFIC_DATA", HEADER: "SMFIC_HEADER", END_OF_HEADER: "SMFIC_EOH", BODY: "SMFIC_BODY",
    END_OF_BODY: "SMFIC_BODYEOB", UNKNOWN: "SMFIC_UNKNOWN", ABORT: "SMFIC_ABORT", QUIT: "SMFIC_QUIT",
    MACRO: "SMFIC_MACRO",
}  # fmt: skip

# Replies.
CONTINUE, ACCEPT, DISCARD, REJECT, TEMPFAIL, REPLY, PROGRESS, SKIP = b"c", b"a", b"d", b"r", b"t", b"y", b"p", b"s"
SHUTDOWN, FAIL, QUARANTINE, SET_SYMBOLS = b"4", b"f", b"q", b"l"
ADD_HEADER, INSERT_HEADER, CHANGE_HEADER, CHANGE_SENDER = b"h", b"i", b"m", b"e"
ADD_RECIPIENT, ADD_RECIPIENT_WITH, DELETE_RECIPIENT, REPLACE_BODY = b"+", b"2", b"-", b"b"

REPLY_NAMES = {
    CONTINUE: "SMFIR_CONTINUE", ACCEPT: "SMFIR_ACCEPT", DISCARD: "SMFIR_DISCARD", REJECT: "SMFIR_REJECT",
    TEMPFAIL: "SMFIR_TEMPFAIL", REPLY: "SMFIR_REPLYCODE", PROGRESS: "SMFIR_PROGRESS", SKIP: "SMFIR_SKIP",
    SHUTDOWN: "SMFIR_SHUTDOWN", FAIL: "SMFIR_CONN_FAIL", QUARANTINE: "SMFIR_QUARANTINE",
    SET_SYMBOLS: "SMFIR_SETSYMLIST", ADD_HEADER: "SMFIR_ADDHEADER", INSERT_HEADER: "SMFIR_INSHEADER",
    CHANGE_HEADER: "SMFIR_CHGHEADER", CHANGE_SENDER: "SMFIR_CHGFROM", ADD_RECIPIENT: "SMFIR_ADDRCPT",
    ADD_RECIPIENT_WITH: "SMFIR_ADDRCPT_PAR", DELETE_RECIPIENT: "SMFIR_DELRCPT", REPLACE_BODY: "SMFIR_REPLBODY",
}  # fmt: skip

# What a filter may ask for: edits (only those that it announced count), and events that it does without.
CAN_QUARANTINE, CAN_SET_SYMBOLS = 0x20, 0x100
NO_CONNECT, NO_HELO, NO_MAIL, NO_RCPT, NO_BODY, NO_HEADER, NO_END_OF_HEADER = 1, 2, 4, 8, 0x10, 0x20, 0x40
NO_HEADER_REPLY, NO_UNKNOWN, NO_DATA, CAN_SKIP, REFUSED_RECIPIENTS = 0x80, 0x100, 0x200, 0x400, 0x800
LEADING_SPACE = 0x100000

_ACTIONS = {2: 0x3F, 3: 0x3F, 4: 0x3F, 6: 0x1FF}
_EVENTS = {2: 0x7F, 3: 0x17F, 4: 0x37F, 6: 0x1FFFFF}
_OPTIONS = {"no_header_reply": NO_HEADER_REPLY}
# Command -> (flag of "do not tell me", flag of "I do not answer").
_FLAGS = {
    CONNECT: (NO_CONNECT, 0x1000), HELO: (NO_HELO, 0x2000), MAIL: (NO_MAIL, 0x4000), RCPT: (NO_RCPT, 0x8000),
    DATA: (NO_DATA, 0x10000), UNKNOWN: (NO_UNKNOWN, 0x20000), END_OF_HEADER: (NO_END_OF_HEADER, 0x40000),
    BODY: (NO_BODY, 0x80000), HEADER: (NO_HEADER, NO_HEADER_REPLY), END_OF_BODY: (0, 0),
}  # fmt: skip
_SINCE = {UNKNOWN: 3, DATA: 4}

# The stages whose macros a filter may choose, as it numbers them.
STAGES = (CONNECT, HELO, MAIL, RCPT, DATA, END_OF_BODY, END_OF_HEADER)
CHUNK = 65535  # octets of a body in one packet
_LONGEST = 1 << 20  # of a packet that a filter may send: a replaced body comes in pieces of 64 KiB
_CODE = re.compile(r"([45]\d\d)(?:[ -]|\Z)")
_DSN = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s|\Z)")


class MilterError(Exception):
    """The filter broke the protocol. `text` for the log; `ours` when rather the configuration is to blame."""

    def __init__(self, text: str, ours: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.ours = ours


def packet(command: bytes, data: bytes = b"") -> bytes:
    return struct.pack("!I", len(data) + 1) + command + data


def strings(*words: bytes) -> bytes:
    """Each ended by NUL, as commands want it; a NUL within would end it early."""
    return b"".join(word.replace(b"\0", b"") + b"\0" for word in words)


def macros(command: bytes, values: list[tuple[str, str]]) -> bytes:
    """The packet that goes before a command."""
    text = "".join(f"{name}\0{value}\0" for name, value in values)
    return packet(MACRO, command + text.encode("utf-8", "surrogateescape"))


class Packets:
    """Packets out of what comes."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def receive(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data

    def next(self) -> bytes | None:
        """The next packet, beginning with its letter; None: not all of it is there."""
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        size = int.from_bytes(buffer[:4], "big")
        if not size:
            raise MilterError("bad packet length: 0")
        if size > _LONGEST:
            raise MilterError(f"unreasonable packet length: {size} > {_LONGEST}")
        if len(buffer) < 4 + size:
            return None
        self._buffer = buffer[4 + size :]
        return buffer[4 : 4 + size]


class Protocol(NamedTuple):
    """What we offer: milter_protocol."""

    version: int
    actions: int
    events: int


def parse_protocol(text: str) -> Protocol:
    """`6`, or a version with options such as `no_header_reply`. ValueError."""
    version, options = 0, 0
    for word in text.replace(",", " ").split():
        if word.isdecimal() and int(word) in _ACTIONS:
            version = int(word)
        elif word in _OPTIONS:
            options |= _OPTIONS[word]
        else:
            raise ValueError(f"bad protocol information: {text}")
    if not version:
        raise ValueError(f"bad protocol information: {text}")
    return Protocol(version, _ACTIONS[version], _EVENTS[version] | options)


class Agreement:
    """What was negotiated: which events the filter is told, which it answers, and with which macros."""

    __slots__ = ("_events", "symbols", "version")

    def __init__(self, version: int, events: int, symbols: dict[bytes, list[str]]) -> None:
        self.version = version
        self._events = events
        self.symbols = symbols

    def wants(self, command: bytes) -> bool:
        return not self._events & _FLAGS[command][0] and self.version >= _SINCE.get(command, 2)

    def answers(self, command: bytes) -> bool:
        return not self._events & _FLAGS[command][1]

    @property
    def skips(self) -> bool:
        return bool(self._events & CAN_SKIP)

    @property
    def refused_recipients(self) -> bool:
        """It wants to hear of recipients that we refused."""
        return bool(self._events & REFUSED_RECIPIENTS)

    @property
    def leading_space(self) -> bool:
        """The space after a header's colon is part of its value, in both directions."""
        return bool(self._events & LEADING_SPACE)


def offer(protocol: Protocol) -> bytes:
    return packet(NEGOTIATE, struct.pack("!III", *protocol))


def agree(protocol: Protocol, reply: bytes) -> Agreement:
    """What the filter's answer to the offer means. MilterError."""
    if reply[:1] != NEGOTIATE:
        raise MilterError(f'unexpected reply "{reply[:1].decode("latin-1")}" in initial handshake')
    if len(reply) < 13:
        raise MilterError("input packet too short for network long")
    version, actions, events = struct.unpack("!III", reply[1:13])
    if version > protocol.version:
        raise MilterError(f"protocol version {version} conflict with MTA protocol version {protocol.version}")
    if actions & ~protocol.actions:
        raise MilterError(f"request mask 0x{actions:x} conflict with MTA request mask 0x{protocol.actions:x}")
    symbols = _symbols(reply[13:]) if actions & CAN_SET_SYMBOLS else {}
    return Agreement(version, events & protocol.events, symbols)


def _symbols(data: bytes) -> dict[bytes, list[str]]:
    found: dict[bytes, list[str]] = {}
    while data:
        if len(data) < 5:
            raise MilterError("input packet too short for network long")
        stage = int.from_bytes(data[:4], "big")
        names, end, data = data[4:].partition(b"\0")
        if not end:
            raise MilterError("missing string null termimator")
        if stage < len(STAGES):
            found[STAGES[stage]] = names.decode("latin-1").replace(",", " ").split()
    return found


class Edit(NamedTuple):
    """A change of the mail. `kind` is the reply's letter, `place` a header's place or number, `name` a header or an
    address, `value` a header's value, ESMTP parameters, a quarantine's reason, or text of a new body."""

    kind: bytes
    place: int = 0
    name: bytes = b""
    value: bytes = b""


def read_edit(reply: bytes) -> Edit | None:
    """An edit, or None for any other reply. MilterError."""
    kind, data = reply[:1], reply[1:]
    if kind == REPLACE_BODY:
        return Edit(kind, value=data)
    if kind in (INSERT_HEADER, CHANGE_HEADER):
        if len(data) < 4:
            raise MilterError("input packet too short for network long")
        name, value = _words(data[4:], 2)
        if not name:
            raise MilterError("null change header name")
        return Edit(kind, int.from_bytes(data[:4], "big"), name, value)
    if kind == ADD_HEADER:
        name, value = _words(data, 2)
        return Edit(kind, name=name, value=value)
    if kind in (CHANGE_SENDER, ADD_RECIPIENT_WITH):
        name, *rest = _words(data, 1, True)
        return Edit(kind, name=name, value=rest[0] if rest else b"")
    if kind in (ADD_RECIPIENT, DELETE_RECIPIENT):
        return Edit(kind, name=_words(data, 1)[0])
    if kind == QUARANTINE:
        return Edit(kind, value=_words(data, 1)[0])
    return None


def _words(data: bytes, count: int, more: bool = False) -> list[bytes]:
    words = data.split(b"\0")
    if len(words) <= count or words[-1]:
        raise MilterError("missing string null termimator")
    if len(words) - 1 > count and not more:
        extra = len(b"\0".join(words[count:]))
        raise MilterError(f"reply was followed by {extra} data bytes")
    return words[:-1]


def read_reply_text(data: bytes) -> tuple[int, str, str]:
    """Code, enhanced status and text (lines by LF) of a `y` reply. MilterError when it is no 4xx or 5xx reply."""
    whole = data.partition(b"\0")[0].decode("utf-8", "replace")
    lines = whole.replace("\r\n", "\n").split("\n")
    first = _CODE.match(lines[0])
    if not first:
        raise MilterError(f"malformed reply: {whole}", ours=True)
    code, dsn = first.group(1), ""
    texts: list[str] = []
    for line in lines:
        text = line[4:] if line.startswith(code) and line[3:4] in ("", " ", "-") else line
        status = _DSN.match(text)
        if status:
            if not dsn and not texts and status.group(1)[0] == code[0]:
                dsn = status.group(1)
            if status.group(1) == dsn:
                text = text[status.end() :]
        texts.append(text.replace("%%", "%"))
    return int(code), dsn, "\n".join(texts)
