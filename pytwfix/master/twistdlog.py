"""What twistd itself has to say: only what went wrong, in our log's form on standard error."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.python.log import textFromEventDict


def observer() -> Any:
    """A legacy log observer for `twistd --logger`."""
    return _observe


def _observe(event: dict[str, Any]) -> None:
    if not event.get("isError"):
        return
    text = textFromEventDict(event) or ""
    if not text.strip():
        return
    out = sys.__stderr__ or sys.stderr  # twistd has put the log in the place of sys.stderr
    out.write(f"pytwfix[{os.getpid()}]: error: {text}\n")
    out.flush()
