"""postfix(1): start, stop, reload and look after the mail system (INVENTORY PX-2 to PX-6, LG-15). Light: no Twisted.

What it does is logged as `postfix/postfix-script`, and shown on a terminal. The system is found by the lock that it
holds: SIGTERM stops it, SIGHUP makes it read its configuration again, SIGQUIT ends it without ado. Exit status 0, or 1
after `fatal: text`.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from pytwfix.commands.directories import own
from pytwfix.commands.options import parse
from pytwfix.commands.script import Script
from pytwfix.commands.submission import configuration, die, warn
from pytwfix.settings.compatibility import CURRENT, below
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.maincf import config_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PROGRAM = "postfix"
_USAGE = "usage: postfix [-c config_dir] [-Dv] command"
_COMMANDS = "(or stop, reload, abort, flush, check, status, set-permissions, upgrade-configuration, logrotate)"
_NOT_RUNNING = "the Postfix mail system is not running"
_STOP_PATIENCE = 20.0  # seconds: the ten that sessions get, and as much again
_ABORT_PATIENCE = 5.0
_STEP = 0.05


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    given = sys.argv[1:] if arguments is None else arguments
    found, words = parse(_PROGRAM, given, "c:Dv", _USAGE, 1)
    if not words:
        die(_PROGRAM, _USAGE, 1)
    option = dict(found).get("-c", "")
    _hand_over(option, given)
    directory = config_directory(option)
    os.environ["MAIL_CONFIG"] = directory
    script = Script(directory, configuration(_PROGRAM, directory, 1))
    _check_user(script)
    return run(script, words)


def _check_user(script: Script) -> None:
    """Others than root have to do with a mail system of their own, and with no other."""
    if os.geteuid() == 0 or own(script.directory) or own(script.value("queue_directory")):
        return
    warn(_PROGRAM, "error: to submit mail, use the Postfix sendmail command")
    die(_PROGRAM, "the postfix command is reserved for the superuser", 1)


def _hand_over(option: str, given: list[str]) -> None:
    """To the program that looks after all instances, unless one instance was named."""
    if option or os.environ.get("MAIL_CONFIG"):
        return
    wrapper = configuration(_PROGRAM, "", 1).expand("$multi_instance_wrapper").split()
    if wrapper:
        os.execv(wrapper[0], [*wrapper, *given])


def run(script: Script, words: list[str]) -> int:
    """One command line behind the options."""
    action = _ACTIONS.get(words[0])
    if words[0] in _SCRIPTS:
        return _scripted(script, words)
    if action is None:
        return script.fatal(f"unknown command: '{' '.join(words)}'. Usage: postfix start {_COMMANDS}")
    if len(words) > 1 and words[0] not in _WITH_WORDS:
        return script.fatal(f"usage: postfix {words[0]}")
    try:
        _tell_level(script)
        return action(script)
    except OSError as error:
        return script.fatal(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _scripted(script: Script, words: list[str]) -> int:
    """Commands with commands of their own."""
    try:
        return _SCRIPTS[words[0]](script, words[1:])
    except SettingsError as error:
        return script.fatal(str(error))
    except OSError as error:
        return script.fatal(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _tell_level(script: Script) -> None:
    """Old defaults are in force below the current compatibility_level (V-3)."""
    try:
        if not below(script.config, CURRENT):
            return
    except SettingsError as error:
        raise SystemExit(script.fatal(str(error))) from None
    script.tell("Postfix is using backwards-compatible default settings")
    script.tell("See https://www.postfix.org/COMPATIBILITY_README.html for details")
    use = f'"postconf compatibility_level={CURRENT}" and "postfix reload"'
    script.tell(f"To disable backwards compatibility use {use}")


# -- start -------------------------------------------------------------------------------------------------------------


def _start(script: Script) -> int:
    """In the background; returns when it listens."""
    return _run_daemon(script, [])


def _start_foreground(script: Script) -> int:
    return _run_daemon(script, ["--nodaemon"])


def _run_daemon(script: Script, options: list[str]) -> int:
    import subprocess

    if script.running():
        return script.fatal("the Postfix mail system is already running")
    from pytwfix.commands.postfixcheck import check_directories

    check_directories(script)
    script.say("starting the Postfix mail system")
    script.close()
    command = [*_twistd(), "--pidfile=", *options, "pytwfix", "-c", script.directory]
    if options:
        os.execv(command[0], command)
    if subprocess.run(command, stdin=subprocess.DEVNULL).returncode:
        return script.fatal("mail system startup failed")
    return 0


def _twistd() -> list[str]:
    """twistd of this Python."""
    beside = os.path.join(os.path.dirname(sys.executable), "twistd")
    if os.path.exists(beside):
        return [sys.executable, beside]
    return [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]


# -- stop --------------------------------------------------------------------------------------------------------------


def _stop(script: Script) -> int:
    """Sessions get their ten seconds. Whoever does not end then is killed."""
    return _end(script, "stopping the Postfix mail system", signal.SIGTERM, _STOP_PATIENCE)


def _quick_stop(script: Script) -> int:
    return _end(script, "stopping the Postfix mail system", signal.SIGQUIT, _ABORT_PATIENCE)


def _abort(script: Script) -> int:
    return _end(script, "aborting the Postfix mail system", signal.SIGQUIT, _ABORT_PATIENCE)


def _end(script: Script, text: str, number: int, patience: float) -> int:
    pid = script.running()
    if not pid:
        return script.fatal(_NOT_RUNNING)
    script.say(text)
    _send(script, pid, number)
    started = said = time.monotonic()
    while script.running():
        now = time.monotonic()
        if now - started > patience:
            script.warning("stopping the Postfix mail system with force")
            _send(script, pid, signal.SIGKILL)
            return 0
        if now - said > 1:
            said = now
            script.say("waiting for the Postfix mail system to terminate")
        time.sleep(_STEP)
    return 0


def _send(script: Script, pid: int, number: int) -> None:
    """To the master. Others than its user may not."""
    if pid < 0:
        raise SystemExit(script.fatal("the process ID of the Postfix mail system is not known"))
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it has just ended
    except PermissionError:
        raise SystemExit(script.fatal(f"process {pid} is another user's")) from None


# -- while it runs -----------------------------------------------------------------------------------------------------


def _reload(script: Script) -> int:
    pid = script.running()
    if not pid:
        return script.fatal(_NOT_RUNNING)
    script.say("refreshing the Postfix mail system")
    _send(script, pid, signal.SIGHUP)
    return 0


def _status(script: Script) -> int:
    pid = script.running()
    if not pid:
        script.say(_NOT_RUNNING)
        return 1
    script.say(f"the Postfix mail system is running: PID: {pid if pid > 0 else 'unknown'}")
    return 0


def _flush(script: Script) -> int:
    from pytwfix.commands import postqueue

    return postqueue.main(["-c", script.directory, "-f"])


def _rotate(script: Script) -> int:
    from pytwfix.commands.logrotate import rotate

    return rotate(script, lambda: _send_if_running(script))


def _send_if_running(script: Script) -> None:
    pid = script.running()
    if pid:
        _send(script, pid, signal.SIGHUP)


# -- the installation --------------------------------------------------------------------------------------------------


def _check(script: Script) -> int:
    from pytwfix.commands.postfixcheck import check

    return check(script)


def _set_permissions(script: Script) -> int:
    from pytwfix.commands.postfixcheck import repair

    return repair(script)


def _upgrade(script: Script) -> int:
    """There is no configuration of an earlier release that needs a change."""
    script.say("upgrade-configuration: there is nothing to do: no earlier release needs a change")
    return 0


def _post_install(script: Script, _words: list[str]) -> int:
    script.say("post-install: there is nothing to do: the Python package was installed with all that it needs")
    return 0


def _tls(script: Script, words: list[str]) -> int:
    from pytwfix.commands.postfixtls import TlsScript

    return TlsScript(script).run(words)


def _without_berkeley(script: Script, words: list[str]) -> int:
    from pytwfix.commands.postfixnonbdb import run

    return run(script, words)


_WITH_WORDS = ("set-permissions",)
_SCRIPTS: dict[str, Callable[[Script, list[str]], int]] = {
    "non-bdb": _without_berkeley,
    "post-install": _post_install,
    "tls": _tls,
}
_ACTIONS: dict[str, Callable[[Script], int]] = {
    "start": _start,
    "quick-start": _start,
    "start-fg": _start_foreground,
    "stop": _stop,
    "drain": _stop,
    "quick-stop": _quick_stop,
    "abort": _abort,
    "reload": _reload,
    "status": _status,
    "flush": _flush,
    "logrotate": _rotate,
    "check": _check,
    "check-warn": _check,
    "check-fatal": _check,
    "set-permissions": _set_permissions,
    "upgrade-configuration": _upgrade,
}


if __name__ == "__main__":
    sys.exit(main())
