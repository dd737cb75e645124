"""What a command's end means for the mail, and what environment it gets (LO-5, PI-1).

Exit statuses are those of sysexits.h. A first word X.Y.Z (class 4 or 5) in the output of a command that fails decides
whether to try again, and is the status that the sender is told. Output is shown on one line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from pytwfix.basics.environment import chosen
from pytwfix.contracts.asuser import AsUserError, CommandResult, Identity
from pytwfix.mail.status import Dsn

PATH = "/usr/bin:/bin"
UNIX = "x-unix"  # the kind of a Diagnostic-Code that a command gave
CHDIR = "cannot change directory to "
CHROOT = "chroot "
_INTERNAL = "internal software error"
OUTPUT_LIMIT = 4096

# exit status -> enhanced status, words
_ENDINGS: dict[int, tuple[str, str]] = {
    64: ("5.3.0", "command line usage error"),
    65: ("5.6.0", "data format error"),
    66: ("5.3.0", "cannot open input"),
    67: ("5.1.1", "user unknown"),
    68: ("5.1.2", "host name unknown"),
    69: ("5.3.0", "service unavailable"),
    70: ("5.3.0", "internal software error"),
    71: ("4.3.0", "system resource problem"),
    72: ("5.3.0", "critical OS file missing"),
    73: ("5.2.0", "can't create user output file"),
    74: ("5.3.0", "input/output error"),
    75: ("4.3.0", "temporary failure"),
    76: ("5.5.0", "remote error in protocol"),
    77: ("5.7.0", "permission denied"),
    78: ("5.3.5", "local configuration error"),
}
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?:\s+|\Z)")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SPACES = str.maketrans("\t\n\v\f\r", "     ")


def shown(output: bytes) -> str:
    """A command's output on one line: every line end a space, control characters as `_`."""
    return _CONTROL.sub("_", output.decode("utf-8", "replace").translate(_SPACES))


def verdict(result: CommandResult, command: str) -> Dsn:
    """The delivery status of a command that has ended; for success the reason is its output, or "".

    `command` is how it is called in messages about how it died.
    """
    output = shown(result.output)
    if result.timed_out:
        return _failed("5.3.0", f'Command time limit exceeded: "{command}"', output, _INTERNAL)
    if result.status == 0:
        return Dsn("2.0.0", output.strip())
    if result.status < 0:
        return _failed("4.3.0", f'Command died with signal {-result.status}: "{command}"', output, _INTERNAL)
    found = _STATUS.match(output)
    if found is not None:
        status, text = ".".join(found.groups()), output[found.end() :]
        # A command that failed cannot claim success by its output.
        return Dsn("5.0.0" if status.startswith("2") else status, text, dtype=UNIX, dtext=text.strip())
    known = _ENDINGS.get(result.status)
    if known is not None:
        return _failed(*known, output, known[1])
    died = f'Command died with status {result.status}: "{command}"'
    return _failed("5.3.0", died, output, f"unknown mail system error {result.status}")


def false_success(result: CommandResult) -> str:
    """The status of class 2 that a command which failed claims in its output, or ""."""
    if result.timed_out or result.status <= 0:
        return ""
    found = _STATUS.match(shown(result.output))
    return ".".join(found.groups()) if found is not None and found[1] == "2" else ""


def _failed(status: str, reason: str, output: str, diagnosis: str) -> Dsn:
    """`diagnosis` is what the notice says as Diagnostic-Code when the command said nothing."""
    if output:
        reason = f"{reason}. Command output: {output}"
    return Dsn(status, reason, dtype=UNIX, dtext=output.strip() or diagnosis)


def not_run(error: AsUserError, program: str) -> Dsn:
    """A command that could not be started: who manages the system may yet correct it, so the mail waits."""
    if error.text.startswith((CHDIR, CHROOT)):
        return _failed("4.3.0", "temporary failure", "", "temporary failure")
    if error.kind in ("missing", "permanent") or (error.kind == "denied" and "execvp" in error.text):
        return _failed("4.3.0", "temporary failure", f"{program}: fatal: {error.text} ", "")
    return Dsn("4.3.0", f"temporary failure: {error.text}")


def complaint(error: AsUserError, who: Identity, directory: str) -> str:
    """Why a command could not be started, as the log has it."""
    reason = error.text.rpartition(": ")[2]
    if error.text.startswith(CHROOT):
        return f"chroot({error.text[len(CHROOT) :].rpartition(': ')[0]}): {reason}"
    if not error.text.startswith(CHDIR):
        return error.text
    return f'cannot change directory to "{directory}" for uid={who.uid} gid={who.gid}: {reason}'


def environment(export: str, imported: str, values: Mapping[str, str], config_directory: str) -> dict[str, str]:
    """A clean environment: PATH, what export_environment names (or sets), and `values`. Names are those of the daemon's
    own environment as import_environment makes it (SV-6)."""
    source = {**chosen(imported, os.environ), "MAIL_CONFIG": config_directory}
    found = {"PATH": PATH, **chosen(export, source), **values}
    return {name: value.replace("\0", "") for name, value in found.items()}
