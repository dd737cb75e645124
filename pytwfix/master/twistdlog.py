"""What twistd itself has to say: only what went wrong, in our log's form on standard error."""

from __future__ import annotations

import os
import sys
from typing import Any


def observer() -> Any:
    """A legacy log observer for `twistd --logger`."""
    return _observe


def _observe(event: dict[str, Any]) -> None:
    if not event.get("isError"):
        return
    failure = event.get("failure")
    why = event.get("why") or ""
    text = failure.getTraceback() if failure is not None else " ".join(str(part) for part in event.get("message", ()))
    sys.stderr.write(f"pytwfix[{os.getpid()}]: error: {why} {text}\n")
    sys.stderr.flush()
