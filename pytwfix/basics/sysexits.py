"""Exit codes of commands, as in sysexits.h: what sendmail, pipe and local exchange with other programs."""

from __future__ import annotations

OK = 0
USAGE = 64
DATAERR = 65
NOINPUT = 66
NOUSER = 67
NOHOST = 68
UNAVAILABLE = 69
SOFTWARE = 70
OSERR = 71
OSFILE = 72
CANTCREAT = 73
IOERR = 74
TEMPFAIL = 75
PROTOCOL = 76
NOPERM = 77
CONFIG = 78

TEXTS = {
    USAGE: "command line usage error",
    DATAERR: "data format error",
    NOINPUT: "cannot open input",
    NOUSER: "user unknown",
    NOHOST: "host name unknown",
    UNAVAILABLE: "service unavailable",
    SOFTWARE: "internal software error",
    OSERR: "system resource problem",
    OSFILE: "critical OS file missing",
    CANTCREAT: "can't create user output file",
    IOERR: "input/output error",
    TEMPFAIL: "temporary failure",
    PROTOCOL: "remote error in protocol",
    NOPERM: "permission denied",
    CONFIG: "local configuration error",
}


def text(code: int) -> str:
    """What a code means; "" for one that is not in the list."""
    return TEXTS.get(code, "")
