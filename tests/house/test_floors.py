"""The floors hold: a module imports only what stands to its left, and its own room (docs/rooms.md)."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from tests.house.sources import PACKAGE, Source, listed, sources

FLOORS = ("basics", "mail", "dialogs", "settings", "contracts", "logs", "net", "ipc", "tables", "spool")
ROOMS = len(FLOORS)
TOP = ("master", "commands")
HOUSES = ("accept", "deliver")  # folders of rooms; what lies in the folder itself is for all of them
FORBIDDEN = ("utils.py", "util.py", "base.py", "helpers.py", "misc.py", "common_utils.py")

# importer -> imported, with the reason why that stands
EXCEPTIONS = {
    ("commands", "master"): "the postfix command starts the master and shares its plan",
}


def place(module: str) -> tuple[int, str]:
    """(floor, room) of pytwfix.a.b.c."""
    parts = module.split(".")[1:]
    if not parts or not _is_folder(parts[0]):
        return -1, ""  # the package itself: its version
    if parts[0] in FLOORS:
        return FLOORS.index(parts[0]), parts[0]
    if parts[0] in TOP:
        return ROOMS + 1, parts[0]
    if parts[0] in HOUSES:
        room = ".".join(parts[:2])
        return (ROOMS, room) if _is_folder(room) else (ROOMS, parts[0])
    return ROOMS, parts[0]


def _is_folder(room: str) -> bool:
    return os.path.isdir(os.path.join(PACKAGE, *room.split(".")))


def allowed(importer: Source, imported: str) -> bool:
    floor, room = place(importer.name)
    other_floor, other_room = place(imported)
    if other_floor < floor or other_room == room:
        return True
    if other_room in HOUSES and room.startswith(other_room + "."):
        return True
    return (room, other_room) in EXCEPTIONS


class TestFloors(SynchronousTestCase):
    def test_order(self) -> None:
        problems = [
            f"{source.name} imports {imported}"
            for source in sources()
            for imported in source.imports()
            if imported.startswith("pytwfix.") and not allowed(source, imported)
        ]
        self.assertEqual(problems, [], listed(problems))

    def test_place(self) -> None:
        self.assertEqual(place("pytwfix.basics.macros"), (0, "basics"))
        self.assertEqual(place("pytwfix.accept.smtpd.session"), (ROOMS, "accept.smtpd"))
        self.assertEqual(place("pytwfix.deliver.outcome"), (ROOMS, "deliver"))
        self.assertEqual(place("pytwfix.master.tap"), (ROOMS + 1, "master"))

    def test_names(self) -> None:
        """Files are named for what they are about."""
        problems = [source.path for source in sources() if os.path.basename(source.path) in FORBIDDEN]
        self.assertEqual(problems, [])

    def test_docstrings(self) -> None:
        """Each module says its job; a room's __init__.py says nothing else."""
        import ast

        silent = [source.path for source in sources() if not ast.get_docstring(source.tree)]
        self.assertEqual(silent, [], listed(silent))
        busy = [
            source.path
            for source in sources()
            if source.is_package and place(source.name)[0] == ROOMS and len(source.tree.body) > 1
        ]
        self.assertEqual(busy, [], listed(busy))
