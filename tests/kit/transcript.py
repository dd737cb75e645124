"""SMTP transcripts: what a client says, and every reply and every log line that must come of it.

    # text         for people; the first line says what is shown, with INVENTORY's names
    P: name = value   a parameter of the service
    X: where why      not played there: "core" (a session in memory), "daemon" or "real" (Debian's Postfix)
    N:                another connection; the earlier ones stay open
    C: text           the client sends this line; "C! text" sends it raw, with \\r \\n \\0 and \\xNN as escapes
    T:                the client begins the TLS handshake; "T: client": it has a certificate
    S: text           the next line of the server; "R: text" after it is what Debian's older Postfix says instead
                      ("R:" alone: nothing)
    E:                the server hangs up
    L: text           a line of the server's log, all of them in order; "K: text" is what Debian's logs in place of the
                      lines before it since the last K ("K:" alone: nothing), where that is another

In expected text {id} is a queue ID, {n} a number, {*} anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

CORE, DAEMON, REAL = "core", "daemon", "real"
_WILD = {"{id}": r"(?:[0-9A-F]{6,20}|[0-9A-Za-z]{12,20}|Q\d+)", "{n}": r"\d+", "{*}": ".*"}


@dataclass
class Transcript:
    """`acts` are (mark, text, line number) for N, C, C!, T, S, E; `log` what is logged, by us and by the real one."""

    name: str
    title: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    acts: list[tuple[str, str, int]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    real_log: list[str] = field(default_factory=list)


class Player(Protocol):
    """One server that transcripts are played against."""

    def connect(self) -> None: ...
    def send(self, data: bytes) -> None: ...
    def line(self) -> str | None:
        """The next line of the server; None when it has hung up or says nothing."""

    def hung_up(self) -> bool: ...
    def handshake(self, client: bool = False) -> None: ...
    def log(self) -> list[str]:
        """Ends all connections; what was logged of them."""


def read(path: str, name: str) -> Transcript:
    """Raises ValueError for a line that is none of the above."""
    made = Transcript(name)
    with open(path, encoding="utf-8") as file:
        for number, whole in enumerate(file, 1):
            mark, text = whole[:2], whole[3:].rstrip("\n")
            if mark == "P:":
                key, _, value = text.partition("=")
                made.parameters[key.strip()] = value.strip()
            elif mark == "X:":
                where, _, why = text.partition(" ")
                made.skipped[where] = why
            elif mark == "L:":
                made.log.append(text)
                made.real_log.append(text)
            elif mark == "K:":
                _replace_last(made, text)
            elif mark in ("N:", "C:", "C!", "T:", "S:", "R:", "E:"):
                made.acts.append((mark, text, number))
            elif mark.strip() and not mark.startswith("#"):
                raise ValueError(f"{path}, line {number}: {whole!r}")
            elif not made.title:
                made.title = whole.lstrip("# ").strip()
    return made


def _replace_last(made: Transcript, text: str) -> None:
    if made.real_log:
        made.real_log.pop()
    if text:
        made.real_log.append(text)


def pattern(text: str) -> re.Pattern[str]:
    """What an expected line matches."""
    parts = re.split(r"(\{(?:id|n|\*)\})", text)
    return re.compile("".join(_WILD.get(part) or re.escape(part) for part in parts) + r"\Z", re.DOTALL)


def raw(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def play(made: Transcript, player: Player, real: bool, fail: Callable[[str], object]) -> None:
    """Say all of it; `fail` is told of the first difference, and must raise."""
    player.connect()
    acts = made.acts
    for at, (mark, text, number) in enumerate(acts):
        where = f"{made.name}, line {number}"
        if mark == "N:":
            player.connect()
        elif mark == "C:":
            player.send(text.encode() + b"\r\n")
        elif mark == "C!":
            player.send(raw(text))
        elif mark == "T:":
            player.handshake(text == "client")
        elif mark == "S:":
            after = acts[at + 1] if at + 1 < len(acts) else ("", "", 0)
            wanted = after[1] if real and after[0] == "R:" else text
            if not wanted:
                continue
            said = player.line()
            if said is None or not pattern(wanted).match(said):
                fail(f"{where}\n  wanted {wanted}\n  heard  {said}")
        elif mark == "E:" and not player.hung_up():
            fail(f"{where}: the connection is still open")
    wanted_log = made.real_log if real else made.log
    logged = player.log()
    for number, line in enumerate(wanted_log):
        if number >= len(logged) or not pattern(line).match(logged[number]):
            fail(f"{made.name}: log\n  wanted {line}\n  found  " + "\n         ".join(logged[number:] or ["nothing"]))
    if len(logged) > len(wanted_log):
        fail(f"{made.name}: logged besides:\n  " + "\n  ".join(logged[len(wanted_log) :]))
