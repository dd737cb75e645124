"""Two mail systems with the same random settings, and mails sent through both."""

from __future__ import annotations

import contextlib
import re
import smtplib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from random import Random
from typing import NamedTuple

from tests.conformance.differential_mail import worlds
from tests.conformance.differential_mail.known import known
from tests.conformance.differential_mail.mails import Mail, mail
from tests.kit.mailsystem import INLINE, POSTFIX, MailSystem, make
from tests.kit.sinks import Received, Sink
from tests.kit.waiting import free_port, wait_for

_QUEUED = re.compile(r"queued as (\w+)")
_TOKEN = re.compile(r"token\d+x\d+x")
_NAME = re.compile(r"\b[0-9A-F]{9,12}\b")
# What two runs never have in common.
_NORMAL: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), text)
    for pattern, text in (
        (r"\b\d{14}\.[0-9A-F]{9,12}\b", "MID"),
        (r"\b[0-9A-F]{9,12}\b", "QID"),
        (r"delay=[\d.]+, delays=[\d./]+", "delay"),
        (r"(127\.0\.0\.1\]|hop\.example):\d+", r"\1:port"),
        (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), .\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4} \(\w+\)", "DATE"),
        (r"size=\d+", "size"),
        (r"QID\.P\d+(Q\d+)?\.|QID\.V\w+\.", "MAILDIR."),
        (r"conn_use=\d+, ", ""),  # a matter of time
        (r"QID\.\d+/", "QID/"),
    )
)


class Outcome:
    """What came of it: `differences` are texts, `expected` counts the known ones by name."""

    def __init__(self) -> None:
        self.mails = self.deliveries = self.lines = 0
        self.differences: list[str] = []
        self.expected: Counter[str] = Counter()

    def add(self, other: Outcome) -> None:
        self.mails += other.mails
        self.deliveries += other.deliveries
        self.lines += other.lines
        self.differences += other.differences
        self.expected += other.expected


class Seen(NamedTuple):
    """What one system did with a mail, without what two runs never have in common."""

    replies: list[str]
    delivered: list[str]
    logged: list[str]


Maker = Callable[[Random, str], Mail]
Judge = Callable[[Mail, Seen, Seen], str]


class Side:
    """One system and its sink. `prefix` is what its programs are started with."""

    follows = False  # whether the lines of mails that a mail becomes are its own, too
    fatal = " nothing of the kind "  # what is in lines with `fatal:` that are to be expected
    notices = False  # whether notices are looked at: they are compared elsewhere

    def __init__(self, kind: str, ports: list[int], seed: int, prefix: list[str] | None = None) -> None:
        self.ports = ports
        self.sink = Sink()
        self.random = Random(seed)
        main, tables = self.furnish(self.random)
        self.system: MailSystem = make(kind, main, self.lines, tables)
        self.system.prefix = prefix or []
        self.system.write_master("".join(self.system.filled(line) + "\n" for line in self.lines))
        self.system.write_main(**{name: self.system.filled(text) for name, text in main.items()})
        self.begin()
        self.system.start(*ports)

    def begin(self) -> None:
        """What must be there when the system starts."""

    def others(self) -> Iterator[str]:
        """Deliveries that did not go to the sink."""
        yield from ()

    def masked(self, text: str) -> str:
        """Without names and numbers that are this side's own."""
        return text

    def furnish(self, random: Random) -> tuple[dict[str, str], dict[str, str]]:
        """Parameters and tables; `lines` of master.cf, and what of all this is `chosen`, for a report."""
        main = {
            **worlds.MAIN, **worlds.chosen(random, worlds.REWRITING, random.randint(0, 6)),
            "relayhost": f"[127.0.0.1]:{self.sink.port}", "smtp_fallback_relay": "",
            "default_transport": f"smtp:[127.0.0.1]:{self.sink.port}",
        }  # fmt: skip
        for name in ("local", "relay", "virtual"):
            main[f"{name}_transport"] = f"smtp:[127.0.0.1]:{self.sink.port}"
        self.lines = worlds.services(random, self.ports)
        self.chosen = {name: value for name, value in main.items() if name in worlds.REWRITING}
        return main, worlds.TABLES

    def where(self, at: int) -> str:
        """What is special about a port."""
        return f"{self.chosen}\n" + "\n".join(self.lines[2 * at : 2 * at + 2])

    def close(self) -> None:
        self.system.remove()
        self.sink.close()

    def quiet(self) -> None:
        """Until nothing moves any more."""
        before = [-1]

        def still() -> bool:
            moving = sum(len(self.system.files(queue)) for queue in ("incoming", "active", "maildrop"))
            count, before[0] = before[0], len(self.sink.messages)
            if moving or count != before[0]:
                time.sleep(0.3)
                return False
            return True

        wait_for(still, lambda: self.system.log()[-2000:], 60)


def round_of(seed: int, count: int, services: int = 12) -> Outcome:
    """New settings from a seed, and so many mails."""
    ports = [free_port() for _ in range(2 * services)]
    sides: dict[str, Side] = {}
    try:
        for kind, mine in ((POSTFIX, ports[:services]), (INLINE, ports[services:])):
            sides[kind] = Side(kind, mine, seed)
        return sent(sides, count, seed, mail, known)
    finally:
        for side in sides.values():
            side.close()


def sent(sides: Mapping[str, Side], count: int, seed: int, mail: Maker, known: Judge) -> Outcome:
    """So many mails through both."""
    random = sides[POSTFIX].random
    told: list[tuple[int, Mail, str]] = []
    replies: dict[str, list[list[str]]] = {kind: [] for kind in sides}
    with ThreadPoolExecutor(2) as pool:
        for number in range(count):
            token = f"token{seed}x{number}x"
            at, one = random.randrange(len(sides[POSTFIX].ports)), mail(random, token)
            told.append((at, one, token))
            said = {kind: pool.submit(send, side.ports[at], one) for kind, side in sides.items()}
            for kind, future in said.items():
                replies[kind].append(future.result())
    seen = {kind: _seen(side, [token for _at, _one, token in told], replies[kind]) for kind, side in sides.items()}
    outcome = Outcome()
    for kind, side in sides.items():
        fatal = (line for line in side.system.log().splitlines() if " fatal: " in line and side.fatal not in line)
        outcome.differences += [f"{kind}: {line}" for line in fatal][:3]
    for number, (at, one, token) in enumerate(told):
        where = f"seed {seed} {token}\n{sides[POSTFIX].where(at)}"
        judge(outcome, one, seen[POSTFIX][number], seen[INLINE][number], where, known)
    return outcome


def send(port: int, one: Mail) -> list[str]:
    """The replies, from MAIL on."""
    found = []
    client = smtplib.SMTP(timeout=10)
    with contextlib.suppress(smtplib.SMTPServerDisconnected, OSError):
        client.connect("127.0.0.1", port)
        client.docmd(f"{one.hello} client.example")
        commands = [f"MAIL FROM:<{one.sender}>{one.mail_parameters if one.hello == 'EHLO' else ''}"]
        commands += [f"RCPT TO:<{to}>{one.rcpt_parameters if one.hello == 'EHLO' else ''}" for to in one.recipients]
        for command in [*commands, "DATA"]:
            found.append(_told(client.docmd(command)))
        if found[-1].startswith("354"):
            lines = one.content.removesuffix("\n").split("\n")
            text = "".join(("." if line.startswith(".") else "") + line + "\r\n" for line in lines)
            client.send(text.encode() + b".\r\n")
            found.append(_told(client.getreply()))
        client.docmd("QUIT")
    client.close()
    return found


def _told(reply: tuple[int, bytes]) -> str:
    return f"{reply[0]} {reply[1].decode('utf-8', 'replace')}"


def _seen(side: Side, tokens: list[str], replies: list[list[str]]) -> list[Seen]:
    side.quiet()
    delivered: dict[str, list[str]] = defaultdict(list)
    for message in side.sink.messages:
        delivered[_token(message.text)].append(side.masked(_shown(message, side.notices)))
    for text in side.others():
        delivered[_token(text)].append(_normal(side.masked(text)))
    logged: dict[str, list[str]] = defaultdict(list)
    for line in side.system.log().splitlines():
        found = re.search(r" postfix/([\w/]+)\[\d+\]: (warning: )?(\w+): (.*)", line)
        if found and not found[4].startswith("removed ("):  # new in 3.11
            logged[found[3]].append(f"{found[1]}: {found[2] or ''}{found[4]}")
    seen = []
    for name, said in zip(tokens, replies, strict=True):
        queued = _QUEUED.search(said[-1]) if said else None
        lines = sorted(_lines(side, logged, queued[1])) if queued else []
        seen.append(Seen([_normal(text) for text in said], sorted(delivered.get(name, [])), lines))
    return seen


def _token(text: str) -> str:
    found = _TOKEN.search(text)
    return found[0] if found else ""


def _lines(side: Side, logged: Mapping[str, list[str]], first: str) -> Iterator[str]:
    """What was logged of a mail, and of those that it became."""
    wanted: list[str] = [first]
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        seen.add(name)
        for line in logged.get(name, []):
            yield _normal(side.masked(line))
            wanted += {word for word in _NAME.findall(line) if side.follows and word in logged} - seen


def _shown(message: Received, notices: bool) -> str:
    """A delivery; of a notice its addresses alone, unless they are wanted."""
    head = f"<{message.sender}>{message.mail_parameters} {sorted(message.recipients)} {sorted(message.parameters)}\n"
    if b"Content-Type: multipart/report" in message.content and not notices:
        return _normal(head) + "(a notice)"
    return _normal(head + in_order(message.text))


def in_order(text: str) -> str:
    """A notice with its paragraphs sorted, for recipients come in the order in which they were done with."""
    return "\n\n".join(sorted(text.split("\n\n"))) if "Content-Type: multipart/report" in text else text


def _normal(text: str) -> str:
    for pattern, instead in _NORMAL:
        text = pattern.sub(instead, text)
    return text


def judge(outcome: Outcome, one: Mail, theirs: Seen, ours: Seen, where: str, known: Judge) -> None:
    outcome.mails += 1
    outcome.deliveries += len(theirs.delivered)
    outcome.lines += len(theirs.logged)
    if theirs == ours:
        return
    name = known(one, theirs, ours)
    if name:
        outcome.expected[name] += 1
        return
    text = f"{where}\n{one!r}\n"
    for their, our in zip(theirs, ours, strict=True):
        if len(their) == len(our) == 1 and "\n" in their[0]:
            lines = unified_diff(their[0].split("\n"), our[0].split("\n"), n=1)
            text += "".join(f"  {line}\n" for line in lines)
            continue
        text += "".join(f"  - {line!r}\n" for line in their if line not in our or their.count(line) > our.count(line))
        text += "".join(f"  + {line!r}\n" for line in our if line not in their or our.count(line) > their.count(line))
    outcome.differences.append(text)
