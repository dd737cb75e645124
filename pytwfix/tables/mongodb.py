"""mongodb:/file.cf: documents by the package pymongo, `pip install 'pytwfix[mongodb]'` (MT-10, NP-7).

uri, dbname, collection, query_filter (JSON, with %s %u %d ... inside of its strings), projection (JSON),
result_attribute, result_format, domain, expansion_limit, timeout (ours: seconds). The package keeps the connections,
and finds a server that is there again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pymongo
from bson import json_util
from pymongo.errors import PyMongoError

from pytwfix.contracts.tables import TableMisconfigured, TableUnavailable
from pytwfix.tables.clientconfig import ClientConfig, DomainFilter
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.expansion import BadTemplate, Template
from pytwfix.tables.textsource import shown

_CONNECTIONS = 8


class MongoDB(Driver):
    blocking = True

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        config = self._config = ClientConfig(context, self.name, rest)
        for name in ("dbname", "collection", "query_filter"):
            if not config.get(name):
                raise TableMisconfigured(self.name, f"{config.path}: missing {name}")
        try:
            self._filter = Template(config.get("query_filter"))
            self._format = Template(config.get("result_format", "%s"))
            self._projection = json_util.loads(config.get("projection")) if config.get("projection") else None
        except (BadTemplate, ValueError, TypeError) as error:
            raise TableMisconfigured(self.name, f"{config.path}: {error}") from None
        self._attributes = config.get("result_attribute").replace(",", " ").split()
        self._limit = config.number("expansion_limit", 0)
        self._domains = DomainFilter(context, config.get("domain"), flags)
        self.fixed = not (self._filter.partial or self._format.letters & set("UD123456789"))
        self._client: Any = None
        self._mutex = threading.Lock()

    def find(self, key: bytes) -> bytes | None:
        if not key or not self._domains.admits(key):
            return None
        query = self._filter.query(key, _quote)
        if query is None:
            return None
        results: list[bytes] = []
        for value in self._values(query.decode("utf-8", "replace")):
            result = self._format.result(key, value) if value else None
            if result is None:
                continue
            results.append(result)
            if self._limit and len(results) > self._limit:
                raise self._unavailable(f"expansion limit exceeded for key: '{shown(key)}'")
        return b",".join(results) if results else None

    def _values(self, query: str) -> list[bytes]:
        try:
            found = self._collection().find(json_util.loads(query), self._projection)
            return [value for document in found for value in self._of(document)]
        except (PyMongoError, ValueError, TypeError) as error:
            raise self._unavailable(" ".join(str(error).split())[:500]) from None

    def _of(self, document: dict[str, Any]) -> Iterator[bytes]:
        """The values of the attributes that are wanted; without a list of them, of all but _id."""
        for name, value in document.items():
            if name in self._attributes or (not self._attributes and name != "_id"):
                yield from _texts(value)

    def _collection(self) -> Any:
        with self._mutex:
            if self._client is None:
                milliseconds = self._config.number("timeout", 10) * 1000
                self._client = pymongo.MongoClient(
                    self._config.get("uri", "mongodb://localhost:27017"),
                    serverSelectionTimeoutMS=milliseconds,
                    connectTimeoutMS=milliseconds,
                    socketTimeoutMS=milliseconds,
                    maxPoolSize=_CONNECTIONS,
                    connect=False,
                )
        return self._client[self._config.get("dbname")][self._config.get("collection")]

    def _unavailable(self, reason: str) -> TableUnavailable:
        self.context.log.warning(f"{self.name}: {reason}")
        return TableUnavailable(self.name, reason)

    def close(self) -> None:
        with self._mutex:
            client, self._client = self._client, None
        if client is not None:
            client.close()


def _texts(value: object) -> Iterator[bytes]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, bool) or value is None or isinstance(value, dict):
        return
    elif isinstance(value, bytes):
        yield value
    else:
        yield str(value).encode()


def _quote(text: bytes) -> bytes:
    """Text inside of a JSON string."""
    return json.dumps(text.decode("utf-8", "replace"))[1:-1].encode()
