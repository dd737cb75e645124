"""Dovecot's authentication protocol, the asking side (SD-41; version 1.x of the protocol).

    server: VERSION 1 2, MECH name properties..., SPID, CUID, COOKIE, DONE      client: VERSION 1 1, CPID number
    client: AUTH id mechanism parameters...      server: CONT id base64, OK id user=..., FAIL id reason=... temp
    client: CONT id base64

Lines end in LF, fields are separated by TAB. Pure; DovecotError for a server that breaks these rules.
"""

from __future__ import annotations

import base64
from typing import NamedTuple

_MAX_LINE = 65536
_ESCAPES = {"0": "\0", "1": "\x01", "t": "\t", "r": "\r", "n": "\n"}


class DovecotError(Exception):
    """The server does not speak this protocol; the text is for the log."""


class Mechanism(NamedTuple):
    """A SASL mechanism and what is said of it: plaintext, active, dictionary, anonymous, forward-secrecy, mutual-auth,
    private."""

    name: str
    properties: frozenset[str]


class Answer(NamedTuple):
    """`kind` is OK, CONT or FAIL; `data` the challenge; `values` the rest, flags with the value ""."""

    kind: str
    number: int
    data: bytes
    values: dict[str, str]


class DovecotAuth:
    """One connection. `ready` is set by DONE, then `mechanisms` is complete."""

    __slots__ = ("_buffer", "_versioned", "mechanisms", "ready")

    def __init__(self) -> None:
        self._buffer = b""
        self._versioned = False
        self.mechanisms: list[Mechanism] = []
        self.ready = False

    @staticmethod
    def hello(number: int) -> bytes:
        """The first words; `number` must be no other connection's."""
        return b"VERSION\t1\t1\nCPID\t%d\n" % number

    @staticmethod
    def auth(number: int, mechanism: str, parameters: list[str], response: bytes | None) -> bytes:
        """Begin an exchange. A mechanism's name and parameters must hold neither TAB nor LF."""
        words = ["AUTH", str(number), mechanism, *parameters]
        line = "\t".join(words).encode("utf-8", "replace")
        if response is not None:
            line += b"\tresp=" + base64.b64encode(response)
        return line + b"\n"

    @staticmethod
    def cont(number: int, response: bytes) -> bytes:
        return b"CONT\t%d\t%b\n" % (number, base64.b64encode(response))

    def receive(self, data: bytes) -> list[Answer]:
        """What the server says of exchanges; its introduction is kept here."""
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        if len(self._buffer) > _MAX_LINE:
            raise DovecotError("a line is too long")
        answers = []
        for line in lines:
            answer = self._line(line.decode("utf-8", "replace").split("\t"))
            if answer is not None:
                answers.append(answer)
        return answers

    def _line(self, words: list[str]) -> Answer | None:
        verb = words[0]
        if verb in ("OK", "CONT", "FAIL"):
            return _answer(words)
        if verb == "VERSION":
            if words[1:2] != ["1"]:
                raise DovecotError(f"unknown protocol version: {' '.join(words[1:])}")
            self._versioned = True
        elif verb == "MECH" and len(words) > 1:
            self.mechanisms.append(Mechanism(words[1].upper(), frozenset(word.lower() for word in words[2:])))
        elif verb == "DONE":
            if not self._versioned:
                raise DovecotError("no protocol version")
            self.ready = True
        return None


def _answer(words: list[str]) -> Answer:
    if len(words) < 2 or not words[1].isdecimal():
        raise DovecotError(f"malformed reply: {' '.join(words)[:100]}")
    kind, number, rest = words[0], int(words[1]), words[2:]
    data = b""
    if kind == "CONT":
        try:
            data = base64.b64decode(rest[0] if rest else "", validate=True)
        except ValueError:
            raise DovecotError("malformed challenge") from None
        return Answer(kind, number, data, {})
    values = {}
    for word in rest:
        name, _, value = word.partition("=")
        values[name] = _unescaped(value)
    return Answer(kind, number, data, values)


def _unescaped(text: str) -> str:
    if "\x01" not in text:
        return text
    first, *others = text.split("\x01")
    return first + "".join(_ESCAPES.get(part[:1], part[:1]) + part[1:] for part in others)
