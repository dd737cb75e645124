"""Why it did not start, for who started it (MA-6).

When twistd goes into the background it gives standard error to /dev/null before our services start; what it tells the
process that waits is cut off after 100 octets. Hence standard error is kept from before, until the start is done.
"""

from __future__ import annotations

import fcntl
import os


class LastWords:
    """Standard error, kept for one line."""

    def __init__(self) -> None:
        try:
            self._fd = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, 3)
        except OSError:
            self._fd = -1  # there is none

    def say(self, text: str) -> None:
        """To be called once, before `close`."""
        if self._fd >= 0:
            try:
                os.write(self._fd, f"pytwfix: fatal: {text}\n".encode("utf-8", "backslashreplace"))
            except OSError:
                pass  # nobody reads it any more
        self.close()

    def close(self) -> None:
        """Nobody waits for words any more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
