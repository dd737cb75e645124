"""Which configuration directories an ordinary user may name by -c, -C or MAIL_CONFIG (MC-9). Light.

The default one, those that its main.cf lists in alternate_config_directories or multi_instance_directories, and, which
Postfix does not have, the user's own: a mail system that the user started has nothing that the user may not have. Where
there is no main.cf in the default place nobody has listed anything, and nothing is refused.
"""

from __future__ import annotations

import os

from pytwfix.settings import maincf
from pytwfix.settings.snapshot import Snapshot

LISTS = ("alternate_config_directories", "multi_instance_directories")


def refusal(named: str) -> tuple[str, str] | None:
    """An error and what would be right, if the user of this process may not have the directory `named`.

    SettingsError: the default main.cf cannot be read.
    """
    if os.geteuid() == 0 or not named or named == maincf.DEFAULT_DIRECTORY:
        return None
    if own(named) or not os.path.exists(f"{maincf.DEFAULT_DIRECTORY}/main.cf"):
        return None
    default = Snapshot(maincf.read_main(maincf.DEFAULT_DIRECTORY).values)
    if any(named in default.expand(f"${name}").replace(",", " ").split() for name in LISTS):
        return None
    advice = " or ".join(f'"{name} = {named}"' for name in LISTS)
    return (
        f"unauthorized configuration directory name: {named}",
        f"specify {advice} in {maincf.DEFAULT_DIRECTORY}/main.cf",
    )


def named(option: str) -> str:
    """The directory that somebody asks for, as it is written; "" for the default."""
    return option or os.environ.get("MAIL_CONFIG", "")


def own(path: str) -> bool:
    """Whether `path` is there and belongs to the user of this process."""
    try:
        return os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False
