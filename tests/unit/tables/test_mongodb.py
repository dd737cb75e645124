"""mongodb: queries and what documents come to (MT-10, NP-7); the server is a list of documents."""

from __future__ import annotations

import os
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from tests.kit.tables import MemoryTables, replace_file

try:
    import pymongo
except ImportError:
    pymongo = None  # type: ignore[assignment]


class Collection:
    """Finds documents whose fields are those of the filter."""

    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self.documents = documents
        self.asked: list[tuple[Any, Any]] = []

    def find(self, query: dict[str, Any], projection: Any) -> list[dict[str, Any]]:
        self.asked.append((query, projection))
        return [one for one in self.documents if all(one.get(name) == value for name, value in query.items())]


DOCUMENTS: list[dict[str, Any]] = [
    {"_id": 1, "user": "bob", "fwd": ["b1@x", "b2@x"], "quota": 5, "on": True},
    {"_id": 2, "user": 'o"h', "fwd": "o@x"},
]


class MongoTests(SynchronousTestCase):
    def setUp(self) -> None:
        if pymongo is None:
            raise SkipTest("the package pymongo is not installed")
        self.tables = MemoryTables()
        self.config = os.path.abspath(self.mktemp())

    def table(self, text: str) -> Any:
        replace_file(self.config, f"dbname = d\ncollection = c\n{text}\n".encode())
        table: Any = self.tables.driver(f"mongodb:{self.config}")
        self.collection = Collection(DOCUMENTS)
        self.patch(table, "_collection", lambda: self.collection)
        return table

    def test_lookup(self) -> None:
        """MT-10: values of the attributes; a list is several; keys are quoted as JSON."""
        table = self.table('query_filter = {"user": "%s"}\nresult_attribute = fwd')
        self.assertEqual([table.get(key) for key in (b"BOB", b'o"h', b"no", b"")], [b"b1@x,b2@x", b"o@x", None, None])
        self.assertTrue(table.fixed)

    def test_projection(self) -> None:
        """NP-7: a projection is handed on; without attributes all but _id count."""
        table = self.table('query_filter = {"user": "%u"}\nprojection = {"_id": 0, "quota": 1}\nresult_format = %d:%s')
        self.assertEqual(table.get(b"bob@d"), b"x:b1@x,x:b2@x")  # 5 has no domain
        self.assertEqual(self.collection.asked, [({"user": "bob"}, {"_id": 0, "quota": 1})])
        self.assertFalse(table.fixed)
        self.assertEqual(self.table('query_filter = {"user": "%s"}').get(b"bob"), b"bob,b1@x,b2@x,5")

    def test_errors(self) -> None:
        """MT-8, LK-13: limits, a filter that is no JSON, a server that is not there."""
        limit = self.table('query_filter = {"user": "%s"}\nexpansion_limit = 1')
        self.assertRaises(TableUnavailable, limit.get, b"bob")
        self.assertRaises(TableUnavailable, self.table('query_filter = {"user": %s').get, b"bob")
        self.assertRaises(TableMisconfigured, self.table, "")
        self.assertRaises(TableMisconfigured, self.table, "query_filter = {}\nprojection = {")
        replace_file(
            self.config, b"dbname=d\ncollection=c\nuri=mongodb://127.0.0.1:1\ntimeout=1\nquery_filter={\"a\":\"%s\"}\n"
        )
        table: Any = self.tables.driver(f"mongodb:{self.config}")
        self.assertRaises(TableUnavailable, table.get, b"bob")
        table.close()
