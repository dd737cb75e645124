"""`postfix logrotate`: the log file gets a name with the date, the system opens a new one, it is compressed (PX-4).

The running system is told by a reload. It writes on into the old file until it has heard of it, so that compression
waits a moment.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable

from pytwfix.commands.script import Script

_SPECIAL = ("/dev/",)
_PAUSE = 1.0


def rotate(script: Script, tell: Callable[[], None]) -> int:
    """The exit status. `tell` makes a running system open its log anew."""
    path = script.value("maillog_file")
    if not path:
        return script.fatal("empty 'maillog_file' parameter value - logfile rotation failed")
    if path.startswith(_SPECIAL):
        return script.fatal(f"not rotating '{path}'")
    old = f"{path}.{time.strftime(script.value('maillog_file_rotate_suffix'))}"
    if os.path.exists(old):
        return script.fatal(f"logfile '{path}' rotation failed: {old} exists")
    try:
        os.rename(path, old)
    except OSError as error:
        return script.fatal(f"logfile '{path}' rotation failed: {error.strerror}")
    script.close()
    tell()
    time.sleep(_PAUSE)
    return _compress(script, old)


def _compress(script: Script, path: str) -> int:
    compressor = script.value("maillog_file_compressor")
    try:
        done = subprocess.run([*compressor.split(), path], stdin=subprocess.DEVNULL, check=False)
    except OSError as error:
        return script.fatal(f"logfile '{path}' compression failed: {compressor}: {error.strerror}")
    if done.returncode:
        return script.fatal(f"logfile '{path}' compression failed: {compressor}: exit status {done.returncode}")
    return 0
