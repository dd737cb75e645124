"""`postfix non-bdb`: tables of Berkeley DB that are opened as another type (INVENTORY PX-6), as far as it applies here.

Such tables are read and written by us as they are, so that there is nothing to stand in for them: the level is always
`disable`, which `status` says and `disable` writes down. The others are refused.
"""

from __future__ import annotations

import sys

from pytwfix.commands.instances import set_parameters
from pytwfix.commands.script import Script

_LEVEL = "non_bdb_migration_level"
_DISABLED = "disable"
_REFUSED = ("enable-redirect", "enable-reindex")


def run(script: Script, words: list[str]) -> int:
    """The exit status. SettingsError and OSError pass through."""
    if words == ["status"]:
        sys.stdout.write(_DISABLED + "\n")
        level = script.value(_LEVEL)
        if level != _DISABLED:
            script.warning(f"{_LEVEL} = {level} has no effect: Berkeley DB tables are used as they are")
        return 0
    if words == ["disable"]:
        set_parameters(script.directory, {_LEVEL: _DISABLED})
        return 0
    if len(words) == 1 and words[0] in _REFUSED:
        return script.fatal(f"non-bdb {words[0]}: not offered: Berkeley DB tables are used as they are")
    return script.fatal(f"usage: postfix non-bdb status (or disable, {', '.join(_REFUSED)})")
