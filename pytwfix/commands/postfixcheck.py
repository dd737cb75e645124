"""`postfix check` and `postfix set-permissions`: directories, files, settings (PX-3). No Twisted.

Directories that are missing are made. Everything else that is odd is a warning; a configuration that cannot be read,
or an account that is missing, is fatal.
"""

from __future__ import annotations

import os
import re
import stat
from importlib.util import find_spec

from pytwfix.commands.script import Script
from pytwfix.master.faults import faults
from pytwfix.master.mandatory import check_mandatory
from pytwfix.master.permissions import Account, account, acting
from pytwfix.master.permissions import check as check_readable
from pytwfix.master.plan import Plan, read_plan
from pytwfix.master.sockets import places
from pytwfix.master.startup import StartError, complaints
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.lint import Lint
from pytwfix.settings.maincf import read_main, read_text
from pytwfix.settings.mastercf import parse_entries
from pytwfix.spool.layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytwfix.settings.snapshot import Snapshot

# Types whose name is a file, and what is appended to it.
_FILES = {
    "hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb",
    "texthash": "", "cidr": "", "regexp": "", "pcre": "", "sqlite": "",
}  # fmt: skip
_TABLE = re.compile(r"\b([a-z]+):(/[^\s,{}]+)")


def check(script: Script) -> int:
    """The exit status."""
    plan: Plan | None = None
    try:
        main = read_main(script.directory)
        entries, warnings = parse_entries(read_text(f"{script.directory}/master.cf"), f"{script.directory}/master.cf")
        plan = read_plan(script.directory)
        plan.settings.validate()
        check_mandatory(plan.snapshot, f"{script.directory}/main.cf")
    except SettingsError as error:
        for text in () if plan is None else faults(plan):
            script.warning(text)
        return script.fatal(str(error))
    for text in (*warnings, *_lint(Lint(main, entries)), *complaints(plan)):
        script.warning(text)
    try:
        places(plan)
        owner = _owner(script)
        if owner is not None:
            check_readable(script.directory, owner)
    except (StartError, SettingsError) as error:
        return script.fatal(str(error))
    check_directories(script)
    for text in (*_configuration_files(script), *_tables(plan, owner)):
        script.warning(text)
    return 0


def _lint(lint: Lint) -> list[str]:
    return [
        *lint.syntax,
        *lint.undefined(),
        *lint.read_only(),
        *lint.unused_in_main(),
        *lint.unused_in_master(),
        *lint.tables(),
    ]


def _owner(script: Script) -> Account | None:
    """mail_owner, when root asks."""
    return account(script.value("mail_owner"), script.value("setgid_group")) if os.geteuid() == 0 else None


def layout(script: Script) -> Layout:
    return Layout(script.value("queue_directory"), script.value("mail_owner"), script.value("setgid_group"))


def check_directories(script: Script) -> None:
    """Make what is missing, and warn of what is not as it should be."""
    try:
        found = layout(script)
        found.create()
        wrong = found.check()
    except KeyError:
        return  # an account is missing, which the start says better
    for text in (*wrong, *_data_directory(script)):
        script.warning(text)


def _data_directory(script: Script) -> list[str]:
    path = script.value("data_directory")
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return []  # it is made at the start
    return [f"group or other writable: {path}/."] if mode & 0o022 else []


def _configuration_files(script: Script) -> list[str]:
    """Who else may change what the system does."""
    wrong = []
    allowed = {0, os.geteuid()}
    for name in ("", *sorted(os.listdir(script.directory))):
        path = os.path.join(script.directory, name) if name else script.directory
        try:
            info = os.stat(path)
        except FileNotFoundError:
            continue
        if info.st_uid not in allowed:
            wrong.append(f"not owned by root: {path}")
        if info.st_mode & 0o022 and not stat.S_ISSOCK(info.st_mode):
            wrong.append(f"group or other writable: {path}")
    return wrong


def _tables(plan: Plan, owner: Account | None) -> list[str]:
    """Tables that are not there, or that the processes will not be able to read."""
    named: dict[tuple[str, str], None] = {}
    for view, texts in _values(plan):
        for text in texts:
            try:
                named.update(dict.fromkeys(_TABLE.findall(view.expand(text))))
            except SettingsError:
                continue
    paths = [_file(kind, path) for kind, path in named if kind in _FILES]
    if owner is None:
        return [text for path in paths if (text := _unreadable(path))]
    with acting(owner):
        return [text for path in paths if (text := _unreadable(path))]


def _file(kind: str, path: str) -> str:
    """The file that a table is read from. Without Berkeley DB that is an .lmdb file, or else the text, from which the
    master makes one."""
    if _FILES[kind] != ".db" or find_spec("berkeleydb") is not None:
        return path + _FILES[kind]
    return path + ".lmdb" if os.path.exists(path + ".lmdb") else path


def _values(plan: Plan) -> list[tuple[Snapshot, Iterable[str]]]:
    return [
        (plan.snapshot, plan.main.values.values()),
        *((plan.view(service), service.overrides.values()) for service in plan.services),
    ]


def _unreadable(path: str) -> str:
    if os.access(path, os.R_OK, effective_ids=True):
        return ""
    return f"cannot be read by mail_owner: {path}" if os.path.exists(path) else f"missing table: {path}"


def repair(script: Script) -> int:
    """set-permissions: owners and modes as they should be."""
    try:
        found = layout(script)
        found.create()
        found.repair()
    except KeyError as error:
        return script.fatal(str(error.args[0]))
    return 0
