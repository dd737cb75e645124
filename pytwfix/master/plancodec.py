"""A plan as plain values, on its way from the master to its children at a reload (MA-5). Malformed."""

from __future__ import annotations

from typing import Any

from pytwfix.ipc.frames import Malformed
from pytwfix.master.plan import Plan
from pytwfix.settings.maincf import MainCf
from pytwfix.settings.mastercf import Service

_FIELDS = Service.__slots__


def pack_plan(plan: Plan) -> tuple[Any, ...]:
    services = [[getattr(service, name) for name in _FIELDS] for service in plan.services]
    return (plan.directory, plan.main.path, plan.main.values, plan.main.lines, services)


def unpack_plan(values: Any) -> Plan:
    try:
        directory, path, parameters, lines, services = values
        main = MainCf(path)
        main.values, main.lines = parameters, lines
        return Plan(directory, main, [_service(fields) for fields in services])
    except (TypeError, ValueError) as error:
        raise Malformed(f"plan: {error}") from None


def _service(fields: Any) -> Service:
    named = dict(zip(_FIELDS, fields, strict=True))
    made = Service(named["name"], named["type"], named["command"])
    for name, value in named.items():
        setattr(made, name, list(value) if name == "arguments" else value)
    return made
