"""Values that their parameters cannot have, with the file, the line and what would be right (MC-7, MX-3, LK-3).

A daemon says so when it comes to the value, and does not serve; who asks `postfix check`, or starts the system, hears
of all of them at once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytwfix.deliver.pipe import arguments as pipe
from pytwfix.master.placement import known
from pytwfix.master.plan import Plan, program
from pytwfix.master.words import classes, misread, table_types
from pytwfix.settings import registry, transports
from pytwfix.settings.kinds import Boolean, Integer, Parameter, SettingsError, String, Time
from pytwfix.settings.servertls import ServerLevel
from pytwfix.spawn import arguments as spawn
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytwfix.settings.mastercf import Service
    from pytwfix.settings.snapshot import Snapshot

ADVICE: tuple[tuple[type[Parameter], str], ...] = (
    (Boolean, "specify yes or no"),
    (Integer, "specify a whole number, without a unit"),
    (Time, "specify a whole number and, without a space, s, m, h, d or w"),
    (String, "it cannot be empty"),
)
LETTERS = frozenset("cdDilmnorsStuvVz")  # which the master gives to a daemon
_BAD = re.compile(r"bad (numerical|boolean|string length \d+ <)|.*bad time value")
_LEVEL = re.compile(r"(smtp|lmtp)_tls_security_level|tlsproxy_client_security_level")
_LEVELS = ("", "none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure")
# Parameters whose value is a list of tables and nothing else.
_TABLES = re.compile(r"\w+_(maps|checks)|alias_database")
_TYPE = re.compile(r"[a-z]\w*(?=:)")


def faults(plan: Plan) -> list[str]:
    """A line for each value, those of main.cf first."""
    main = plan.main
    services = plan.by_name()
    found = []
    for name, number in main.lines.items():
        for text in _wrong(name, main.values[name], plan.snapshot, services):
            found.append(f"{main.path}, line {number}: {text}")
    for service in plan.services:
        where = f"{plan.directory}/master.cf: line {service.line}: {service.name}/{service.type}:"
        found += [f"{where} -o {text}" for text in _of_service(plan, service)]
        found += [f"{where} {text}" for text in _arguments(program(service), service.arguments)]
    return found


def _arguments(command: str, words: list[str]) -> Iterator[str]:
    """What a program does not take; `words` are its arguments without -o, -v and -D (MX-3, MA-3)."""
    parse = {"pipe": pipe.parse, "spawn": spawn.parse}.get(command)
    try:
        if parse is not None:
            parse(words)
        elif words and known(command) and not (words[0][:1] == "-" and words[0][1:2] in LETTERS):
            what = "option" if words[0][:1] == "-" else "argument"
            yield f'unknown {what}: "{words[0]}"; specify -o name=value, -v or nothing'
    except (pipe.ArgumentError, spawn.ArgumentError) as error:
        yield str(error)


def _of_service(plan: Plan, service: Service) -> Iterator[str]:
    view = plan.view(service)
    for name, value in service.overrides.items():
        yield from _wrong(name, value, view, plan.by_name())


def _wrong(name: str, value: str, view: Snapshot, services: dict[str, Service]) -> Iterator[str]:
    parameter = _parameter(name) or (String("", "A class.", name=name) if name in classes(view) else None)
    if parameter is None:
        return
    try:
        found = parameter.value(value, view.expand)
    except SettingsError as error:
        yield _told(parameter, str(error))
        return
    if _LEVEL.fullmatch(name) and found.lower() not in _LEVELS:
        yield f'{name}: invalid tls security level: "{found}"; specify {", ".join(_LEVELS[1:-1])} or {_LEVELS[-1]}'
    if not isinstance(found, str):
        return
    yield from misread(name, found, view, services)
    if _TABLES.fullmatch(name):
        for table in split_list(found):
            kind = _TYPE.match(table)
            if kind is not None and kind[0] not in table_types():
                yield f"{name}: unsupported dictionary type: {kind[0]}; postconf -m shows those that there are"
            elif kind is None and table[:1] in "/.":
                yield f'{name}: expecting "type:name" form instead of "{table}"'


def _parameter(name: str) -> Parameter | None:
    """A built-in one, or one whose name begins with a service's."""
    found = registry.find(name)
    if found is not None:
        return found
    for suffix in (*transports.DELIVERY, *transports.COMMAND):
        if name.endswith("_" + suffix):
            return transports.declaration(name.removesuffix("_" + suffix), suffix)
    return None


def _told(parameter: Parameter, text: str) -> str:
    if parameter.name not in text:
        text = f"{parameter.name}: {text}"
    if isinstance(parameter, ServerLevel):
        return f"{text}; specify none, may or encrypt"
    if not _BAD.match(text):
        return text
    return f"{text}; {next(advice for kind, advice in ADVICE if isinstance(parameter, kind))}"
