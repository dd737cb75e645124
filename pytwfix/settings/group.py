"""A group of parameters: what one room reads, as a read-only view of one snapshot.

`class SmtpdSettings(Group): smtpd_timeout = time("300s", "...")`; an instance is made by `Snapshot.group`.
"""

from __future__ import annotations

from pytwfix.settings.kinds import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytwfix.settings.snapshot import Snapshot


class Group:
    """Subclasses declare parameters as attributes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.__dict__["snapshot"] = snapshot

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings are read-only: {name}")

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """Every declaration of this group by its main.cf name, those of its parents included."""
        found: dict[str, Parameter] = {}
        seen: set[str] = set()
        for parent in cls.__mro__:
            for attribute, value in vars(parent).items():
                if isinstance(value, Parameter) and attribute not in seen:
                    seen.add(attribute)
                    found[value.name] = value
        return found

    def evaluate(self, parameter: Parameter) -> Any:
        """The typed value of one parameter in this snapshot; SettingsError."""
        snapshot: Snapshot = self.__dict__["snapshot"]
        text = snapshot.stated(parameter.name)
        return parameter.value(snapshot.default(parameter) if text is None else text, snapshot.expand)

    def validate(self) -> None:
        """Evaluate all; SettingsError for the first that is wrong."""
        for parameter in self.parameters().values():
            self.evaluate(parameter)
