"""postconf: show and change main.cf and master.cf (PC-0..PC-10). Starts without Twisted.

The parts: settings/lint.py says which names there are, settings/show.py prints, settings/edit.py changes text,
commands/postconfmaster.py does what -M, -F and -P ask. Here are the command line and main.cf.
"""

from __future__ import annotations

import os
import sys

from pytwfix.basics.atomicfile import FileLock, write_atomically
from pytwfix.basics.macros import MacroError, expand, mentions
from pytwfix.basics.printable import printable_text
from pytwfix.commands.postconfoptions import Fatal, Options, check_options, parse_options
from pytwfix.settings import registry
from pytwfix.settings.edit import COMMENT_OUT, REMOVE, REPLACE, edit_main
from pytwfix.settings.kinds import Raw, SettingsError
from pytwfix.settings.lint import BUILTIN, READ_ONLY, SERVICE, Lint
from pytwfix.settings.maincf import MainCf, config_directory, parse_main, read_text, split_assignment
from pytwfix.settings.mastercf import Entry, parse_entries
from pytwfix.settings.show import Style
from pytwfix.settings.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytwfix.basics.macros import Lookup

MACHINE = ("inet_protocols", "inet_interfaces", "mynetworks_style")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; the exit status."""
    try:
        return run(sys.argv[1:] if argv is None else argv)
    except (Fatal, SettingsError) as error:
        sys.stdout.flush()
        print(f"postconf: fatal: {printable_text(str(error))}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


def run(argv: Sequence[str]) -> int:
    """As main, with its errors raised."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    options = parse_options(argv)
    check_options(options)
    directory = config_directory(options.directory)
    if not options.letters.isdisjoint("aAlmbtT"):
        from pytwfix.commands import postconflists

        return postconflists.run(options, directory)
    if not options.letters.isdisjoint("eX#"):
        return edit(options, directory)
    show(options, directory)
    return 0


def warn(text: str) -> None:
    """A warning on standard error."""
    print(f"postconf: warning: {printable_text(text)}", file=sys.stderr)


def edit(options: Options, directory: str) -> int:
    """-e, -X and -#."""
    if not options.arguments:
        raise Fatal("-e requires name=value argument" if options.has("e") else "missing service argument")
    for word in options.arguments:
        if "\n" in word:
            raise Fatal("-e, -X, or -# accepts no multi-line input")
        if word.lstrip().startswith("#"):
            raise Fatal("-e, -X, or -# accepts no comment input")
    if not options.letters.isdisjoint("MFP"):
        from pytwfix.commands import postconfmasteredit

        return postconfmasteredit.edit(options, os.path.join(directory, "master.cf"))
    how = REPLACE if options.has("e") else REMOVE if options.has("X") else COMMENT_OUT
    path = os.path.join(directory, "main.cf")
    wanted = edits(options.arguments, how)
    text, warnings = edit_main(read_text(path), path, how, wanted)
    for warning in warnings:
        warn(warning)
    replace(path, text)
    return 0


def edits(arguments: Sequence[str], how: str) -> dict[str, str]:
    """The names, with their values for -e; the last of a name counts."""
    wanted: dict[str, str] = {}
    for word in arguments:
        if how == REPLACE:
            try:
                name, value = split_assignment(word.lstrip())
            except ValueError as error:
                raise Fatal(str(error)) from None
        else:
            name, value = word, ""
            if "=" in name:
                raise Fatal("-X or -# requires parameter names without value")
            if not name.strip():
                raise Fatal("-X or -# requires non-blank parameter names")
        if name in wanted:
            warn(f"ignoring earlier request: '{name} = {wanted[name]}'")
        wanted[name] = value
    return wanted


def replace(path: str, text: str) -> None:
    """Put the new text in the file's place, while nobody else edits it."""
    try:
        with FileLock(path):
            write_atomically(path, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise Fatal(f"open {path}: {error.strerror}") from error


def show(options: Options, directory: str) -> None:
    """Everything that only prints."""
    master = os.path.join(directory, "master.cf")
    if not options.letters.isdisjoint("MFP"):
        entries = read_entries(master)
        main_cf = read_parameters(options, directory)
    else:
        main_cf = read_parameters(options, directory)
        entries = read_entries(master)
    snapshot = Snapshot(main_cf.values, {"process_name": "postconf", "service_name": ""})
    lint = Lint(main_cf, entries)
    if not options.has("d"):
        evaluate(main_cf, snapshot, lint)
    if not options.letters.isdisjoint("MFP"):
        from pytwfix.commands import postconfmaster

        postconfmaster.show(options, lint, snapshot)
    else:
        show_parameters(options, lint, snapshot)
    sys.stdout.flush()
    for warning in late_warnings(options, lint):
        warn(warning)


def late_warnings(options: Options, lint: Lint) -> list[str]:
    """What is said after the output."""
    if options.has("d") or options.has("q"):
        return []
    if not options.letters.isdisjoint("MFP"):
        return lint.unused_in_master()
    return [*lint.unused_in_main(), *lint.unused_in_master()]


def read_parameters(options: Options, directory: str) -> MainCf:
    """main.cf with -o on top; -d looks at nothing but the built-in values."""
    path = os.path.join(directory, "main.cf")
    if options.has("d"):
        return MainCf(path)
    found = parse_main(read_text(path), path, {"config_directory": directory}, warn)
    found.values["config_directory"] = directory
    found.values.update(options.overrides)
    return found


def read_entries(path: str) -> list[Entry]:
    """master.cf; a configuration without one has no services."""
    if not os.path.exists(path):
        return []
    from pytwfix.commands.postconfmaster import checked

    def seen(entry: Entry) -> None:
        for warning in entry.warnings:
            warn(warning)
        checked(entry)

    entries, warnings = parse_entries(read_text(path), path, apart=True, seen=seen)
    for warning in warnings:
        if warning.startswith(path):
            warn(warning)
    return entries


def evaluate(main_cf: MainCf, snapshot: Snapshot, lint: Lint) -> None:
    """Warn about names, then expand every built-in parameter that is set: an error in one ends the command."""
    if not main_cf.values.keys().isdisjoint(MACHINE):
        from pytwfix.settings.machine import check_networks

        check_networks(snapshot, lambda text, lookup: expand_all(text, lookup or lint.lookup(snapshot)))
    for warning in (*lint.syntax, *lint.read_only(), *lint.undefined(), *lint.tables()):
        warn(warning)
    for fault in _computed_faults(main_cf, snapshot):
        warn(fault)
    for fault in lint.faults:
        warn(fault)
        raise Fatal("macro processing error")
    _expand_all(lint, snapshot, main_cf.values)
    for entry in lint.entries:
        own = lint.overrides(entry)
        if any("$" in value for value in own.values()):
            _expand_all(lint, snapshot.with_service(entry.fields[0], entry.fields[-1], own), own)
    expanded(lint, snapshot, "compatibility_level", "${{$compatibility_level} <level {1} ? {} : {}}")


def _computed_faults(main_cf: MainCf, snapshot: Snapshot) -> list[str]:
    """What is wrong with a name of this machine that is made of another: it is told, and ends nothing by itself."""
    found: list[str] = []
    for stated, other in (("mydomain", "myhostname"), ("myhostname", "mydomain")):
        if "$" in main_cf.values.get(stated, "") and other not in main_cf.values:
            try:
                found += map(str, mentions(snapshot.get(other) or "")[1])
            except SettingsError:
                continue  # the value that it is made of ends the command
    return found


def _expand_all(lint: Lint, snapshot: Snapshot, values: dict[str, str]) -> None:
    for name, value in values.items():
        if "$" in value and lint.classes.get(name) in (BUILTIN, SERVICE) and name not in READ_ONLY:
            expanded(lint, snapshot, name, value)


def expanded(lint: Lint, snapshot: Snapshot, name: str, value: str) -> str:
    """The expanded value; raw parameters stay as they are."""
    return value if isinstance(registry.find(name), Raw) else expand_all(value, lint.lookup(snapshot))


def expand_all(text: str, lookup: Lookup) -> str:
    """The text with all macros expanded; an error ends the command."""
    try:
        return expand(text, lookup, recursive=True)
    except (MacroError, SettingsError) as error:  # the latter of a default that is made of a faulty value
        if isinstance(error, MacroError) and error.fatal:
            raise Fatal(str(error)) from None
        warn(str(error))
        raise Fatal("macro processing error") from None


def show_parameters(options: Options, lint: Lint, snapshot: Snapshot) -> None:
    """-n, -d, names, or all. Nothing is printed when a value turns out to be wrong."""
    lines = []
    style = Style(options.has("f"), options.has("h"), options.has("H"), options.has("j"))
    names = options.arguments
    if not names:
        names = sorted(name for name, kind in lint.classes.items() if kind in options.classes)
    for name in names:
        if not lint.known(name):
            warn(f"{name}: unknown parameter")
            continue
        value = snapshot.stated(name)
        if options.has("n"):
            if value is None or name in READ_ONLY:
                continue
        elif value is None or name in READ_ONLY:
            value = default(name, lint, snapshot)
        if options.has("x") and not options.has("H"):
            value = expanded(lint, snapshot, name, value)
        lines.append(style.parameter(name, value) + "\n")
    sys.stdout.write("".join(lines))


def default(name: str, lint: Lint, snapshot: Snapshot) -> str:
    """The built-in text of any kind of name."""
    service = lint.services.get(name)
    if service is not None and registry.find(name) is None:
        return service.default
    return snapshot.get(name) or ""


if __name__ == "__main__":
    sys.exit(main())
