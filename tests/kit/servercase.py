"""Tests that talk to a real server of `tableservers`: one server for all tests of a class."""

from __future__ import annotations

import atexit
import os
import time
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from tests.kit import tableservers
from tests.kit.tables import MemoryTables, replace_file


class Current:
    """The server of the class whose tests run: started by the first of them, ended by the next class or the end."""

    maker: type[ServerCase] | None = None
    server: Any = None
    absent = ""

    @classmethod
    def of(cls, case: type[ServerCase]) -> Any:
        if cls.maker is not case:
            cls.end()
            try:
                cls.server = case.make()
            except SkipTest as reason:
                cls.absent = str(reason)
            cls.maker = case
        if cls.absent:
            raise SkipTest(cls.absent)
        return cls.server

    @classmethod
    def end(cls) -> None:
        if cls.server is not None:
            cls.server.remove()
        cls.maker, cls.server, cls.absent = None, None, ""


atexit.register(Current.end)


class ServerCase(SynchronousTestCase):
    """One server for a class; `outage` is the same story for all types."""

    @classmethod
    def make(cls) -> tableservers.Server:
        raise NotImplementedError

    def setUp(self) -> None:
        self.server = Current.of(type(self))
        self.tables = MemoryTables()

    def table(self, kind: str, text: str) -> Any:
        config = os.path.abspath(self.mktemp())
        replace_file(config, text.encode())
        try:
            table = self.tables.driver(f"{kind}:{config}")
        except TableMisconfigured as error:
            if "pip install" in error.reason:
                raise SkipTest(error.reason) from None
            raise
        self.addCleanup(table.close)
        return table

    def outage(self, table: Any, key: bytes, value: bytes) -> None:
        """LK-13: not there: an error, which is a 4xx; there again: an answer, without any help; slow: an error in time,
        and an answer when it is itself again."""
        self.assertEqual(table.get(key), value)
        self.server.stop()
        self.assertRaises(TableUnavailable, table.get, key)
        self.server.start()
        self.assertEqual(table.get(key), value)
        self.server.pause()
        try:
            start = time.monotonic()
            self.assertRaises(TableUnavailable, table.get, key)
            self.assertLess(time.monotonic() - start, 5)
        finally:
            self.server.resume()
        self.assertEqual(table.get(key), value)
