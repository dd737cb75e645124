"""main.cf as one service sees it at one reload: values, `-o` overrides, its names and its stress (DN-1, DN-4).

A snapshot never changes. Order of strength: default, main.cf, stress, master.cf's -o. `get` answers unexpanded text,
`expand` expands, `group` gives the typed view that rooms use, made once. Raises SettingsError.
"""

from __future__ import annotations

import os

from pytwfix.basics.macros import MacroError, expand
from pytwfix.settings import registry, transports
from pytwfix.settings.kinds import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from pytwfix.settings.group import Group
    from pytwfix.settings.kinds import Parameter

    G = TypeVar("G", bound=Group)


class Snapshot:
    """Values by name; see the module."""

    __slots__ = ("_own", "_values", "groups", "program", "service", "stress")

    def __init__(self, values: Mapping[str, str], own: Mapping[str, str] | None = None) -> None:
        self._values = values
        self._own = dict(own or {})
        self.groups: dict[type[Any], Any] = {}  # what `group` has made
        self.service = self._own.get("service_name", "")
        self.program = self._own.get("process_name", "")
        self.stress = self._own.get("stress", "") != ""

    def with_service(
        self, service: str, program: str, overrides: Mapping[str, str] | None = None, stress: bool = False
    ) -> Snapshot:
        """The view of a service in master.cf; `overrides` are its -o options, the last of each name."""
        own = {"service_name": service, "process_name": program}
        if stress:
            own["stress"] = "yes"
        own.update(overrides or {})
        return Snapshot(self._values, own)

    def stated(self, name: str) -> str | None:
        """What main.cf, master.cf or the process itself says, unexpanded; None when nobody does."""
        value = self._own.get(name)
        if value is None:
            value = self._values.get(name)
        return value

    def get(self, name: str) -> str | None:
        """The unexpanded text of a parameter, its default included; None when there is no such name."""
        value = self.stated(name)
        if value is not None:
            return value
        if name == "process_id":
            return str(os.getpid())
        parameter = registry.find(name)
        return None if parameter is None else self.default(parameter)

    def default(self, parameter: Parameter) -> str:
        """The built-in text; computed for the few that depend on this machine."""
        compute = registry.computed(parameter.name)
        return parameter.default if compute is None else compute(self)

    def expand(self, text: str, undefined: Callable[[str], object] | None = None) -> str:
        """`text` with all macros expanded, those in values too."""
        try:
            return expand(text, self.get, recursive=True, undefined=undefined)
        except MacroError as error:
            raise SettingsError(str(error)) from error

    def group(self, group: type[G]) -> G:
        """The typed view; the same object each time."""
        found = self.groups.get(group)
        if found is None:
            found = self.groups[group] = group(self)
        return found  # type: ignore[no-any-return]

    def names(self) -> list[str]:
        """What main.cf sets."""
        return list(self._values)

    def transport_int(self, service: str, suffix: str) -> int:
        """`<service>_<suffix>` as a number, such as ("relay", "destination_concurrency_limit")."""
        return transports.evaluate(self, service, suffix)  # type: ignore[no-any-return]

    def transport_time(self, service: str, suffix: str) -> int:
        """`<service>_<suffix>` in seconds, such as ("relay", "destination_rate_delay")."""
        return transports.evaluate(self, service, suffix)  # type: ignore[no-any-return]

    def transport_text(self, service: str, suffix: str) -> str:
        """`<service>_<suffix>` as text, such as ("relay", "destination_concurrency_positive_feedback")."""
        return transports.evaluate(self, service, suffix)  # type: ignore[no-any-return]
