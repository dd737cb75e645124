"""Table types that other packages bring, and dynamicmaps.cf (MT-13).

A package says in its metadata, under the entry point group `pytwfix.tables`, which class (a Driver) makes tables of
which type. dynamicmaps.cf and dynamicmaps.cf.d/*.cf in meta_directory are Postfix's own list of plug-ins, in C: it is
read, so that the log can say why a type that it names cannot be had; a line `type module:Class` names a Python class.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from pytwfix.contracts.tables import TableError, TableMisconfigured
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.files import read_file
from pytwfix.tables.textsource import logical_lines

GROUP = "pytwfix.tables"
Maker = Callable[[TableContext, str, str, int], Driver]


def plugin_types() -> list[str]:
    """The types that installed packages bring."""
    return sorted(point.name for point in entry_points(group=GROUP))


def maker(context: TableContext, kind: str, name: str) -> Maker:
    """What makes tables of a type that is not our own. TableMisconfigured."""
    try:
        for point in entry_points(group=GROUP, name=kind):
            return _checked(point.load())
        where = listed(context).get(kind, "")
        module, colon, class_name = where.partition(":")
        if colon:
            return _checked(getattr(import_module(module), class_name))
    except (ImportError, AttributeError, TypeError) as error:
        raise TableMisconfigured(name, f"unsupported dictionary type: {kind}: {error}") from None
    if where:
        raise TableMisconfigured(
            name, f"unsupported dictionary type: {kind}: {where} in dynamicmaps.cf is for Postfix's own programs"
        )
    raise TableMisconfigured(name, f"unsupported dictionary type: {kind}")


def _checked(found: Any) -> Maker:
    if not callable(found):
        raise TypeError(f"{found!r} makes no tables")
    made: Maker = found
    return made


def listed(context: TableContext) -> dict[str, str]:
    """Type -> second field, of dynamicmaps.cf and the files beside it; those that cannot be read count as empty."""
    directory = context.parameter("meta_directory") or context.parameter("config_directory") or ""
    if not directory:
        return {}
    more = f"{directory}/dynamicmaps.cf.d"
    try:
        names = sorted(name for name in context.disk.listdir(more) if name.endswith(".cf"))
    except OSError:
        names = []
    found: dict[str, str] = {}
    for path in (f"{directory}/dynamicmaps.cf", *(f"{more}/{name}" for name in names)):
        try:
            data = read_file(context, "dynamicmaps.cf", path)
        except TableError:
            continue
        for _, line in logical_lines(data):
            words = line.decode("utf-8", "replace").split()
            if len(words) >= 2:
                found[words[0]] = words[1]
    return found
