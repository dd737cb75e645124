"""postmulti -e: mail systems are made, taken in, changed, let go and removed (INVENTORY PMU). Light.

Raises Trouble, SettingsError and OSError, as instances.py does.
"""

from __future__ import annotations

import os
import pwd

from pytwfix.commands.instances import PLACES, Instance, Instances, Trouble, check_form, set_parameters
from pytwfix.commands.script import Script
from pytwfix.commands.submission import value
from pytwfix.settings.edit import REPLACE, edit_main
from pytwfix.settings.maincf import read_text
from pytwfix.settings.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_ACTIONS = ("create", "destroy", "import", "deport", "enable", "disable", "assign", "init")
_FILES = ("main.cf", "master.cf")
# What all instances have in common, as the primary's main.cf sets it.
_SHARED = (
    "compatibility_level", "command_directory", "daemon_directory", "mail_owner", "setgid_group", "sendmail_path",
    "mailq_path", "newaliases_path", "manpage_directory", "sample_directory", "readme_directory", "html_directory",
    "meta_directory", "shlib_directory",
)  # fmt: skip


class Editor:
    """`options` are those of the command line."""

    def __init__(self, script: Script, instances: Instances, options: dict[str, str]) -> None:
        self._script = script
        self._instances = instances
        self._options = options

    def run(self, words: list[str]) -> int:
        """The exit status."""
        action = self._options["-e"]
        if action not in _ACTIONS:
            known = ", ".join(f"'{name}'" for name in _ACTIONS[:-1])
            raise Trouble(f"Invalid '-e' edit action '{action}'. Specify {known} or '{_ACTIONS[-1]}'")
        if words and action not in ("create", "import"):
            raise Trouble(f"Parameter settings are not allowed with '-e {action}'")
        if action != "init" and not self._instances.managed:
            raise Trouble("multi_instance_enable!=yes, run 'postmulti -e init' first.")
        if action == "create":
            self._create(words)
        elif action == "import":
            self._import(self._places(words))
        else:
            self._change(action)
        return 0

    def _change(self, action: str) -> None:
        changes: dict[str, Callable[[], None]] = {
            "init": self._init, "destroy": self._destroy, "deport": self._deport, "assign": self._assign,
            "enable": lambda: self._enable("yes"), "disable": lambda: self._enable("no"),
        }  # fmt: skip
        changes[action]()

    def _chosen(self) -> Instance:
        return self._instances.one(self._options.get("-i", ""))

    # -- of the one that is there

    def _init(self) -> None:
        values = {
            "multi_instance_wrapper": "${command_directory}/postmulti -p --",
            "multi_instance_enable": "yes",
        }
        set_parameters(self._instances.primary.directory, values)

    def _enable(self, word: str) -> None:
        set_parameters(self._chosen().directory, {"multi_instance_enable": word})

    def _assign(self) -> None:
        instance = self._chosen()
        values = self._names(instance.directory)
        if not values:
            raise Trouble("Specify new instance name or group with '-e assign'")
        set_parameters(instance.directory, values)

    def _names(self, directory: str) -> dict[str, str]:
        """What -I and -G set; `-` takes a name or a group away."""
        values = {}
        for letter, parameter in (("-I", "multi_instance_name"), ("-G", "multi_instance_group")):
            if letter not in self._options:
                continue
            word = self._options[letter]
            if letter == "-I" and word != "-":
                self._instances.check_name(word, directory)
            if not word or "\n" in word:
                raise Trouble(f"bad argument of {letter}")
            values[parameter] = "" if word == "-" else word
        return values

    # -- a new one

    def _create(self, words: list[str]) -> None:
        places = self._places(words)
        directory = places["config_directory"]
        there = [name for name in _FILES if os.path.exists(f"{directory}/{name}")]
        if len(there) == len(_FILES):
            self._import(places)
            return
        if there:
            raise Trouble(f"{directory} has {there[0]}, and not the other of {' and '.join(_FILES)}")
        for name in PLACES:
            if name not in places:
                raise Trouble(f"Missing {name} parameter value")
        self._instances.check_places(directory, places)
        values = {**self._new_settings(places), **self._names(directory)}
        place = self._place()
        _write_files(directory, values)
        new = Instance(directory)
        _make_data_directory(new)
        from pytwfix.commands.postfixcheck import check_directories

        check_directories(Script(directory, new.config, "postmulti"))
        self._instances.add(directory, place)

    def _new_settings(self, places: dict[str, str]) -> dict[str, str]:
        """It listens nowhere, and takes no mail of users, before somebody says so."""
        stated = self._instances.primary.config.stated
        shared = {name: text for name in _SHARED if (text := stated(name)) is not None}
        own = {name: places[name].replace("$", "$$") for name in ("queue_directory", "data_directory")}
        return {**shared, "master_service_disable": "inet", "authorized_submit_users": "", **own}

    def _places(self, words: list[str]) -> dict[str, str]:
        """The directories that are given, else those of the primary with -I in place of their last part."""
        places: dict[str, str] = {}
        name = self._options.get("-I", "-")
        if name != "-":
            check_form(name)
            for place, path in self._instances.primary.places().items():
                places[place] = f"{os.path.dirname(path.rstrip('/'))}/{name}"
        for word in words:
            parameter, equals, text = word.partition("=")
            if not equals or not text or parameter not in PLACES:
                raise Trouble(f"Malformed parameter setting '{word}'")
            if not text.startswith("/"):
                raise Trouble(f"{parameter}={text} is no absolute path")
            places[parameter] = os.path.normpath(text)
        if "config_directory" not in places:
            raise Trouble("Missing config_directory parameter value")
        return places

    def _import(self, places: dict[str, str]) -> None:
        directory = places["config_directory"]
        self._instances.check_places(directory, {"config_directory": directory})
        new = Instance(directory)
        self._instances.check_places(directory, new.places())
        values = self._names(directory)
        if new.name and "multi_instance_name" not in values:
            self._instances.check_name(new.name, directory)
        place = self._place()
        if values:
            set_parameters(directory, values)
        self._instances.add(directory, place)

    def _place(self) -> int:
        """Where in the list: first (-a), before a group (-g) or an instance (-i), or last."""
        others = self._instances.others
        group, name = self._options.get("-g"), self._options.get("-i")
        for index, one in enumerate(others):
            if "-a" in self._options or (group and one.group == group) or (name and one.called(name)):
                return index
        if name:
            raise Trouble(f"No secondary instance named {name}")
        return len(others)

    # -- the end of one

    def _secondary(self) -> Instance:
        instance = self._chosen()
        if instance.primary:
            raise Trouble("Cannot remove the primary instance")
        return instance

    def _deport(self) -> None:
        self._instances.drop(self._secondary())

    def _destroy(self) -> None:
        instance = self._secondary()
        if instance.enabled:
            raise Trouble("Cannot remove enabled instances")
        from pytwfix.commands.instanceremoval import remove

        if Script(instance.directory, instance.config).running():
            raise Trouble(f"{instance.directory}: the mail system is running, stop it first")
        left = remove(instance)
        self._instances.drop(instance)
        if left:
            self._script.warning(f"{instance.directory}: please verify contents and remove by hand: {' '.join(left)}")


def _write_files(directory: str, values: dict[str, str]) -> None:
    """main.cf and master.cf as they are delivered, with these settings."""
    from pytwfix.basics.atomicfile import write_atomically
    from pytwfix.master.personal import examples

    source = examples()
    text, _ = edit_main(read_text(f"{source}/main.cf"), "main.cf", REPLACE, values)
    os.makedirs(directory, 0o755, exist_ok=True)
    write_atomically(f"{directory}/main.cf", text.encode("utf-8", "surrogateescape"), 0o644)
    write_atomically(f"{directory}/master.cf", read_text(f"{source}/master.cf").encode(), 0o644)


def _make_data_directory(new: Instance) -> None:
    """Not as root all belongs to whoever runs this."""
    config: Snapshot = new.config
    path = value(config, "data_directory")
    os.makedirs(path, 0o700, exist_ok=True)
    if os.geteuid() == 0:
        try:
            owner = pwd.getpwnam(value(config, "mail_owner"))
        except KeyError:
            raise Trouble(f"mail_owner: no such user: {value(config, 'mail_owner')}") from None
        os.chown(path, owner.pw_uid, -1)
