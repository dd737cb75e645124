"""postmulti(1): several mail systems on one host (INVENTORY PMU). Light: no Twisted.

-l lists them, -p runs a `postfix` command and -x any command for each, -e adds, changes and removes them. What is wrong
is logged as postmulti's, and shown on a terminal. Exit status 0, or 1 when something failed.
"""

from __future__ import annotations

import os
import sys

from pytwfix.commands.instances import Instance, Instances, Trouble
from pytwfix.commands.options import parse
from pytwfix.commands.script import Script
from pytwfix.commands.submission import configuration, value
from pytwfix.settings import maincf
from pytwfix.settings.kinds import SettingsError

_PROGRAM = "postmulti"
_USAGE = """\
usage:
    postmulti -l [-ajRv] [-g group] [-i instance]
    postmulti -p [-av] [-g group] [-i instance] command...
    postmulti -x [-aRv] [-g group] [-i instance] command...
    postmulti -e action [-av] [-g group] [-i instance] [-G group] [-I name] [param=value...]"""
_MODES = ("-e", "-l", "-p", "-x")


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    found, words = parse(_PROGRAM, arguments, "ae:g:i:G:I:jlpRvx", _USAGE, 1)
    options = dict(found)
    directory = maincf.DEFAULT_DIRECTORY
    script = Script(directory, configuration(_PROGRAM, directory), _PROGRAM)
    try:
        _check_place(directory)
        return run(script, _mode(options, words), options, words)
    except (Trouble, SettingsError) as error:
        return script.fatal(str(error))
    except OSError as error:
        return script.fatal(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _check_place(directory: str) -> None:
    """Whose MAIL_CONFIG is another instance's has called the wrong command."""
    given = os.environ.get("MAIL_CONFIG")
    if given and os.path.abspath(given) != directory:
        raise Trouble(f"non-default configuration directory: {given}: this command is for {directory}")


def _mode(options: dict[str, str], words: list[str]) -> str:
    modes = [letter for letter in _MODES if letter in options]
    if len(modes) != 1:
        raise Trouble("Specify exactly one of '-e', '-l', '-p', '-x'")
    mode = modes[0]
    if mode in ("-p", "-x") and not words:
        raise Trouble("Command required with '-p' or '-x' option")
    if mode in ("-p", "-e") and "-R" in options:
        raise Trouble("The '-p' and '-e' options preclude the use of '-R'")
    if mode == "-l" and words:
        raise Trouble("Command not allowed with '-l' option")
    if mode != "-l" and "-j" in options:
        raise Trouble("The '-j' option requires '-l'")
    if mode != "-e" and not options.keys().isdisjoint(("-G", "-I")):
        raise Trouble("The '-G' and '-I' options require '-e'")
    return mode


def run(script: Script, mode: str, options: dict[str, str], words: list[str]) -> int:
    """One command line behind its check."""
    instances = Instances(script.directory)
    if mode == "-e":
        from pytwfix.commands.postmultiedit import Editor

        return Editor(script, instances, options).run(words)
    chosen = instances.chosen(options.get("-i", ""), options.get("-g", ""))
    if "-R" in options:
        chosen.reverse()
    if mode == "-l":
        sys.stdout.write("".join((one.json() if "-j" in options else one.line()) + "\n" for one in chosen))
        return 0
    verbose = "-v" in options
    if mode == "-x":
        return _each(script, [(one, words) for one in chosen], verbose)
    return _each(script, _postfix(instances.primary, chosen, words), verbose)


def _postfix(primary: Instance, chosen: list[Instance], words: list[str]) -> list[tuple[Instance, list[str]]]:
    """What is run for whom: disabled instances are only checked at a start, and left alone at the rest."""

    def among(name: str) -> bool:
        return words[0] in value(primary.config, name).replace(",", " ").split()

    stops = among("postmulti_stop_commands")
    if stops:
        chosen = chosen[::-1]
    out = []
    for one in chosen:
        command = words
        if not one.enabled and among("postmulti_start_commands"):
            command = ["check"]
        elif not one.enabled and (stops or among("postmulti_control_commands")):
            continue
        out.append((one, [f"{value(one.config, 'command_directory')}/postfix", *command]))
    return out


def _each(script: Script, work: list[tuple[Instance, list[str]]], verbose: bool) -> int:
    """1 when a command failed; the others are run all the same."""
    import subprocess

    failed = 0
    for instance, command in work:
        sys.stdout.flush()
        try:
            failed |= subprocess.run(command, env=instance.environment(verbose)).returncode != 0
        except OSError as error:
            failed = script.fatal(f"execvp {command[0]}: {error.strerror}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
