"""environ:anything: the process's environment; keys are folded as those of every fixed table are (MT-6, LK-2)."""

from __future__ import annotations

import os

from pytwfix.tables.driver import Driver


class Environ(Driver):
    def find(self, key: bytes) -> bytes | None:
        return os.environb.get(key)
