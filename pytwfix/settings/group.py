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

    snapshot: Snapshot

    def __init__(self, snapshot: Snapshot) -> None:
        self.__dict__["snapshot"] = snapshot

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings are read-only: {name}")

    @classmethod
    def declared(cls) -> list[Parameter]:
        """The declarations of this class alone."""
        return [value for value in vars(cls).values() if isinstance(value, Parameter)]

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


def mirror(
    source: type[Group], target: type[Group], old: str, new: str, names: dict[str, str], defaults: dict[str, str]
) -> None:
    """Give `target`, a subclass, the declarations of `source` under other main.cf names.

    :param old: the beginning of a name and of names in defaults that is replaced by `new`.
    :param names: exceptions, source name to target name; "" for a parameter that both share.
    :param defaults: defaults, by target name, that are not the source's.
    """
    for parameter in source.declared():
        name = names.get(parameter.name, parameter.name.replace(old, new, 1))
        if name and parameter.name.startswith(old):
            default = defaults.get(name, parameter.default.replace(old, new))
            setattr(target, parameter.attribute, parameter.renamed(name, default))
