"""What is to run: main.cf and master.cf of one directory as one immutable value (MX-1..MX-4, MA-9).

Raises SettingsError with file and line.
"""

from __future__ import annotations

import os

from pytwfix.master.settings import MasterSettings
from pytwfix.settings.compatibility import USING
from pytwfix.settings.maincf import MainCf, read_main
from pytwfix.settings.mastercf import Service, read_services
from pytwfix.settings.snapshot import Snapshot


class Plan:
    """One reading of the configuration. `snapshot` is main.cf as nobody in particular sees it."""

    __slots__ = ("directory", "main", "services", "settings", "snapshot")

    def __init__(self, directory: str, main: MainCf, services: list[Service]) -> None:
        self.directory = directory
        self.main = main
        self.snapshot = Snapshot(main.values)
        self.settings = self.snapshot.group(MasterSettings)
        self.services = [service for service in services if not disabled(self.settings, service)]

    def view(self, service: Service, stress: bool = False) -> Snapshot:
        """main.cf as this service sees it. A service of the network is told of its stress, or that there is none, in
        front of its own -o options (MA-3, DN-4)."""
        told = {"stress": "yes" if stress else ""} if service.type == "inet" else {}
        return self.snapshot.with_service(service.name, program(service), {**told, **service.overrides}, stress)

    def limit(self, service: Service) -> int:
        """Sessions or deliveries at once; 0 for no limit."""
        limit = service.process_limit
        return self.settings.default_process_limit if limit is None else limit

    def by_name(self) -> dict[str, Service]:
        """Services that are not inet, by name."""
        return {service.name: service for service in self.services if service.type != "inet"}


def program(service: Service) -> str:
    """The program's name: a path's last part."""
    return os.path.basename(service.command)


def disabled(settings: MasterSettings, service: Service) -> bool:
    """master_service_disable: words `name/type`, the old form `name.type`, or a type alone for all of it."""
    for word in settings.master_service_disable.replace(",", " ").split():
        name, slash, kind = word.rpartition("/")
        if not slash:
            name, dot, kind = word.rpartition(".")
            if not dot or kind != service.type:
                name, kind = "", word
        if kind == service.type and name in ("", service.name):
            return True
    return False


def old_chroots(plan: Plan) -> list[str]:
    """A line for each service whose chroot is the default of compatibility levels below 1 (V-3, MX-4)."""
    return [
        f"{plan.directory}/master.cf: line {service.line}: {USING} chroot=y"
        for service in plan.services
        if service.chroot and service.chroot_unstated
    ]


def read_plan(directory: str) -> Plan:
    """Read both files anew."""
    main = read_main(directory)
    chroot = Snapshot(main.values).expand("${{$compatibility_level} <level {1} ? {yes} : {no}}") == "yes"
    return Plan(directory, main, read_services(os.path.join(directory, "master.cf"), chroot))
