"""The mail systems of one host that are looked after together (INVENTORY PMU). Light: no Twisted.

The primary one is that of the default configuration directory; its main.cf lists the directories of the others. Trouble
says what is wrong, in the words of a log line; OSError and SettingsError pass through.
"""

from __future__ import annotations

import os

from pytwfix.basics.atomicfile import FileLock, write_atomically
from pytwfix.commands.submission import value
from pytwfix.settings import maincf
from pytwfix.settings.edit import REPLACE, edit_main
from pytwfix.settings.snapshot import Snapshot

PLACES = ("config_directory", "queue_directory", "data_directory")
_EXPORTED = (
    "command_directory", "daemon_directory", *PLACES,
    "multi_instance_name", "multi_instance_group", "multi_instance_enable",
)  # fmt: skip


class Trouble(Exception):
    """The request cannot be done."""


class Instance:
    """One mail system, as its main.cf is now."""

    def __init__(self, directory: str, primary: bool = False) -> None:
        self.directory = directory
        self.primary = primary
        self.config = Snapshot(maincf.read_main(directory).values)
        self.name = value(self.config, "multi_instance_name")
        self.group = value(self.config, "multi_instance_group")
        self.enabled = value(self.config, "multi_instance_enable") == "yes"

    def places(self) -> dict[str, str]:
        """What no two instances may share."""
        return {name: value(self.config, name) for name in PLACES}

    def environment(self, verbose: bool) -> dict[str, str]:
        """What a command finds that is run for this instance."""
        more = {name: value(self.config, name) for name in _EXPORTED}
        more["MAIL_CONFIG"] = self.directory
        if verbose:
            more["MAIL_VERBOSE"] = ""
        return {**os.environ, **more}

    def line(self) -> str:
        """For -l."""
        enabled = "y" if self.enabled else "n"
        return f"{self.name or '-':<15} {self.group or '-':<15} {enabled:<9} {self.directory}"

    def json(self) -> str:
        """For -jl."""
        import json

        told = {"name": self.name, "group": self.group, "enabled": self.enabled, "config_directory": self.directory}
        return json.dumps(told, ensure_ascii=False)

    def called(self, name: str) -> bool:
        """Whether -i NAME means this one: a name, a configuration directory, or - for the primary."""
        return self.primary if name == "-" else name in (self.name, self.directory)


class Instances:
    """All of this host, the primary first."""

    def __init__(self, directory: str = "") -> None:
        self.primary = Instance(directory or maincf.DEFAULT_DIRECTORY, True)
        listed = value(self.primary.config, "multi_instance_directories").replace(",", " ").split()
        self.others = [Instance(path) for path in listed]
        self.managed = self.primary.enabled
        if not listed and not value(self.primary.config, "multi_instance_wrapper"):
            self.primary.enabled = True  # nobody asked for more than one: it is started as ever

    @property
    def all(self) -> list[Instance]:
        return [self.primary, *self.others]

    def chosen(self, name: str, group: str) -> list[Instance]:
        """Those that -i and -g select, or all."""
        return [
            one for one in self.all if (not name or one.called(name)) and (not group or one.group == group)
        ]  # fmt: skip

    def one(self, name: str) -> Instance:
        """The instance of -i."""
        if not name:
            raise Trouble("Select an instance via '-i name'")
        for instance in self.all:
            if instance.called(name):
                return instance
        raise Trouble(f"No instance named {name}")

    def check_name(self, name: str, directory: str) -> None:
        """Whether the instance of a directory may be called so."""
        check_form(name)
        for other in self.all:
            if other.directory != directory and other.name == name:
                raise Trouble(_conflict(directory, "multi_instance_name", name, other, "multi_instance_name"))

    def check_places(self, directory: str, places: dict[str, str]) -> None:
        """Whether a new instance may have these directories."""
        seen: dict[str, str] = {}
        for name, path in places.items():
            if path in seen:
                where = f"instance {directory}, {name}={path} conflicts with instance {directory}"
                raise Trouble(f"{where}, {seen[path]}={path}")
            seen[path] = name
            for other in self.all:
                for taken, theirs in other.places().items():
                    if path == theirs and name == taken == "config_directory":
                        where = f"new config_directory={path} is already in use by instance"
                        raise Trouble(f"{where} {other.directory}, config_directory={path}")
                    if path == theirs:
                        raise Trouble(_conflict(directory, name, path, other, taken))

    def add(self, directory: str, place: int) -> None:
        """Into the primary's list, at this place."""
        self._list([*(one.directory for one in self.others[:place]), directory,
                    *(one.directory for one in self.others[place:])])  # fmt: skip

    def drop(self, instance: Instance) -> None:
        """Off the list."""
        self._list([one.directory for one in self.others if one is not instance])

    def _list(self, directories: list[str]) -> None:
        set_parameters(self.primary.directory, {"multi_instance_directories": " ".join(directories)})


def check_form(name: str) -> None:
    """Names become parts of paths and of log lines."""
    if not name.startswith("postfix-") or "/" in name or any(char.isspace() for char in name):
        raise Trouble("New instance name must start with 'postfix-'")


def _conflict(directory: str, name: str, text: str, other: Instance, theirs: str) -> str:
    return f"instance {directory}, {name}={text} conflicts with instance {other.directory}, {theirs}={text}"


def set_parameters(directory: str, values: dict[str, str]) -> None:
    """Change a main.cf, while nobody else does."""
    path = f"{directory}/main.cf"
    with FileLock(path):
        text, _ = edit_main(maincf.read_text(path), path, REPLACE, values)
        write_atomically(path, text.encode("utf-8", "surrogateescape"))
