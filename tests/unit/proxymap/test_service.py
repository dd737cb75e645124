"""proxymap: tables of one process for all (PX-1, LK-12, NP-9)."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pytwfix.contracts.tables import DEFAULT_FLAGS, TableError, TableMisconfigured, TableUnavailable
from pytwfix.ipc.failures import Gone
from pytwfix.proxymap.service import ProxymapService
from pytwfix.tables.approved import approved
from tests.kit.host import MemoryHost
from tests.kit.tables import MemoryTables

REFUSED = [
    'warning: request for unapproved table: "static:no"',
    "warning: to approve this table for read-only access, list proxy:static:no in main.cf:proxy_read_maps",
]


class ServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        main = {"virtual_alias_maps": "proxy:static:yes", "address_verify_map": "proxy:internal:cache"}
        self.host = MemoryHost(main, service="proxymap", program="proxymap")
        self.service = ProxymapService(self.host)

    def test_allowed(self) -> None:
        """PX-1: what proxy_read_maps lists is read."""
        self.assertEqual(self.successResultOf(self.service.lookup("static:yes", DEFAULT_FLAGS, b"k")), b"yes")

    def test_refused(self) -> None:
        """PX-1: anything else is not, and the log says what to do about it."""
        self.failureResultOf(self.service.lookup("static:no", DEFAULT_FLAGS, b"k"), TableMisconfigured)
        self.failureResultOf(self.service.update("static:yes", 0, b"k", b"v"), TableMisconfigured)
        self.failureResultOf(self.service.delete("static:yes", 0, b"k"), TableMisconfigured)
        self.failureResultOf(self.service.items("static:yes", 0), TableMisconfigured)
        self.assertEqual(self.host.log.lines[:2], REFUSED)

    def test_written(self) -> None:
        """NP-9: what proxy_write_maps lists is written, by one process."""
        name = "internal:cache"
        self.successResultOf(self.service.update(name, 0, b"k", b"v"))
        self.assertEqual(self.successResultOf(self.service.lookup(name, 0, b"k", True)), b"v")
        self.assertEqual(self.successResultOf(self.service.items(name, 0)), [(b"k", b"v")])
        self.assertTrue(self.successResultOf(self.service.delete(name, 0, b"k")))

    def test_names(self) -> None:
        """PX-1: names from lists, also from other tables' names and from restrictions."""
        text = "hash:/a, proxy:mysql:/b unionmap:{proxy:ldap:/c, hash:/d} {check_client_access proxy:pcre:/e} reject"
        self.assertEqual(approved(text), {"mysql:/b", "ldap:/c", "pcre:/e"})


class Away:
    """ITableProxy of another process; `gone` when it has died."""

    remote = True

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.gone = False

    def lookup(self, name: str, flags: int, key: bytes, writable: bool = False) -> Deferred[bytes | None]:
        self.asked.append((name, key, writable))
        return fail(Gone("the queue process is gone")) if self.gone else succeed(b"<" + key + b">")

    def update(self, name: str, flags: int, key: bytes, value: bytes) -> Deferred[None]:
        self.asked.append((name, key, value))
        return succeed(None)

    def delete(self, name: str, flags: int, key: bytes) -> Deferred[bool]:
        return succeed(True)

    def items(self, name: str, flags: int) -> Deferred[list[tuple[bytes, bytes]]]:
        return succeed([(b"k", b"v")])


class TablesWithProxy(MemoryTables):
    def __init__(self, away: Any, in_reactor: Any) -> None:
        server = "proxy:tcp:127.0.0.1:1"
        super().__init__({"proxy_read_maps": f"{server} proxy:static:x", "proxy_write_maps": "proxy:lmdb:/c"})
        self._proxy = lambda: away
        self._in_reactor = in_reactor


class ClientTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.away = Away()
        self.tables = TablesWithProxy(self.away, lambda call: call())

    def test_servers(self) -> None:
        """LK-12: a table of a server is asked by the process that has it."""
        table = self.tables.open("proxy:tcp:127.0.0.1:1")
        self.assertEqual(self.successResultOf(table.lookup(b"k")), b"<k>")
        self.assertFalse(table.fixed)
        self.assertEqual(self.away.asked, [("tcp:127.0.0.1:1", b"k", False)])

    def test_files(self) -> None:
        """LK-12: what every process can read is read here."""
        table = self.tables.open("proxy:static:x")
        self.assertEqual(self.successResultOf(table.lookup(b"k")), b"x")
        self.assertEqual(self.away.asked, [])

    def test_not_listed(self) -> None:
        """PX-1: what is not listed answers with an error, in the owner's process too."""
        for self.away.remote in (True, False):
            self.tables.log.lines.clear()
            table = self.tables.open(f"proxy:static:{self.away.remote}")
            error = self.failureResultOf(table.lookup(b"k"), TableMisconfigured).value
            self.assertIn("proxymap service is not configured for table", error.reason)
            self.assertIn("request for unapproved table", self.tables.log.lines[0])

    def test_written(self) -> None:
        """NP-9: updates go to the one process."""
        table = self.tables.open_writable("proxy:lmdb:/c", 0)
        self.successResultOf(table.update(b"k", b"v"))
        self.assertEqual(self.successResultOf(table.lookup(b"K")), b"<K>")
        self.assertTrue(self.successResultOf(table.delete(b"k")))
        self.assertEqual(list(table.items()), [(b"k", b"v")])
        self.assertEqual(self.away.asked, [("lmdb:/c", b"k", b"v"), ("lmdb:/c", b"K", True)])

    def test_gone(self) -> None:
        """LK-13: the other process has died: mail waits."""
        self.away.gone = True
        table = self.tables.open("proxy:tcp:127.0.0.1:1")
        self.failureResultOf(table.lookup(b"k"), TableUnavailable)

    def test_commands(self) -> None:
        """LK-12: commands open the table themselves."""
        self.assertEqual(MemoryTables().driver("proxy:static:z").get(b"k"), b"z")


class MemberTests(TestCase):
    def test_in_another_table(self) -> Deferred[None]:
        """LK-2, LK-12: as a member of unionmap it is asked from a thread."""
        from twisted.internet import reactor

        away = Away()
        tables = TablesWithProxy(away, reactor.callFromThread)  # type: ignore[attr-defined]
        driver = tables.driver("unionmap:{static:a, proxy:tcp:127.0.0.1:1}")
        self.assertTrue(driver.blocking)

        def ask() -> list[object]:
            found: list[object] = [driver.get(b"k")]
            away.gone = True
            try:
                driver.get(b"k")
            except TableError as error:
                found.append(type(error))
            return found

        answer: Deferred[list[object]] = deferToThread(ask)
        return answer.addCallback(self.assertEqual, [b"a,<k>", TableUnavailable])
