"""fail:anything: every lookup is an error, for tests of a configuration (MT-6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from pytwfix.contracts.tables import TableUnavailable
from pytwfix.tables.driver import Driver


class Fail(Driver):
    fixed = False

    def find(self, key: bytes) -> NoReturn:
        raise TableUnavailable(self.name, "Application error")

    def delete(self, key: bytes) -> NoReturn:
        raise TableUnavailable(self.name, "Application error")

    def update(self, key: bytes, value: bytes) -> NoReturn:
        raise TableUnavailable(self.name, "Application error")

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        raise TableUnavailable(self.name, "Application error")
