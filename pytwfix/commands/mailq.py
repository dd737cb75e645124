"""mailq(1): sendmail by its other name, `postqueue -p` (INVENTORY PQ-2, SE-1). Light."""

from __future__ import annotations

import getopt
import sys

from pytwfix.commands import postqueue


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point. Of sendmail's options -C chooses the configuration, the others mean nothing here."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        found, _ = getopt.gnu_getopt(given, "A:B:C:F:GIL:N:O:R:UV:X:b:e:f:h:imno:p:q:r:tvx")
    except getopt.GetoptError:
        found = []
    directory = dict(found).get("-C", "")
    return postqueue.main([*(["-c", directory] if directory else []), "-p"])


if __name__ == "__main__":
    sys.exit(main())
