"""Opens tables by name; a type's module is imported on first use (LK-1, LK-13, MT-*).

To add a type: a module with a Driver, and a line in TYPES, or a package of its own (docs/add-a-table-type.md).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytwfix.contracts.tables import (
    DEFAULT_FLAGS,
    NO_PROXY,
    NO_UNAUTH,
    TRUSTED_OWNER,
    TableError,
    TableMisconfigured,
    TableUnavailable,
)
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.names import split_name
from pytwfix.tables.surrogate import Surrogate

if TYPE_CHECKING:
    from pytwfix.contracts.host import IDisk, IHost, ILog, IRandom, IThreads
    from pytwfix.contracts.proxying import ITableProxy
    from pytwfix.tables.adapter import Table

# type -> module:class, below this package.
TYPES = {
    "btree": "berkeley:make_driver",
    "cdb": "cdb:Cdb",
    "cidr": "cidr:Cidr",
    "environ": "environ:Environ",
    "fail": "fail:Fail",
    "hash": "berkeley:make_driver",
    "inline": "inline:Inline",
    "internal": "inline:Internal",
    "ldap": "ldap:Ldap",
    "lmdb": "lmdbtable:Lmdb",
    "memcache": "memcache:Memcache",
    "mongodb": "mongodb:MongoDB",
    "mysql": "mysql:MySql",
    "netinfo": "nis:Nis",
    "nis": "nis:Nis",
    "nisplus": "nis:Nis",
    "pcre": "pcre:Pcre",
    "pgsql": "pgsql:PgSql",
    "pipemap": "composed:PipeMap",
    "randmap": "composed:RandMap",
    "redis": "redis:Redis",
    "regexp": "regexp:Regexp",
    "socketmap": "socketmap:SocketMap",
    "sqlite": "sqlite:Sqlite",
    "static": "static:Static",
    "tcp": "tcp:Tcp",
    "texthash": "texthash:TextHash",
    "unionmap": "composed:UnionMap",
    "unix": "unixtable:Unix",
}

# A package that is missing -> the extra that brings it.
EXTRAS = {
    "pcre2": "pcre", "ldap3": "ldap", "berkeleydb": "berkeleydb", "psycopg": "pgsql", "pymysql": "mysql",
    "pymongo": "mongodb", "bson": "mongodb",
}  # fmt: skip


_WRITABLE = 1 << 16  # part of the key under which an open table is found again


class Tables:
    """ITables: one table for one name and flags in a process."""

    def __init__(
        self,
        *,
        expand: Callable[[str], str],
        parameter: Callable[[str], str | None],
        disk: IDisk,
        threads: IThreads | None,
        clock: Callable[[], float],
        random: IRandom,
        log: ILog,
        smtputf8: bool = True,
        directory: str = "",
        data_directory: str = "",
        default_type: str = "hash",
        proxy: Callable[[], ITableProxy | None] = lambda: None,
        in_reactor: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._proxy = proxy  # who opens tables for all processes
        self._in_reactor = in_reactor  # calls a function in the reactor's thread, from another one
        self._approved: dict[bool, frozenset[str]] = {}
        self.context = TableContext(
            expand=expand,
            parameter=parameter,
            disk=disk,
            log=log,
            clock=clock,
            random=random,
            open=self.driver,
            smtputf8=smtputf8,
            directory=directory,
            data_directory=data_directory,
            default_type=default_type,
            makes=threads is not None,
            run=None if threads is None else threads.run,
        )
        self._threads = threads
        self._open: dict[tuple[str, int], Table] = {}

    def open(self, name: str, flags: int = DEFAULT_FLAGS) -> Table:
        """The table; what cannot be opened is logged and answers every lookup with the error (LK-13)."""
        table = self._open.get((name, flags))
        if table is None:
            table = self._open[name, flags] = self._table(self._driver_or_surrogate(name, flags))
        return table

    def open_writable(self, name: str, flags: int = DEFAULT_FLAGS) -> Table:
        table = self._open.get((name, flags | _WRITABLE))
        if table is None:
            table = self._open[name, flags | _WRITABLE] = self._table(self._writable_or_surrogate(name, flags))
        return table

    def _table(self, driver: Driver) -> Table:
        assert self._threads is not None
        if driver.kind == "proxy":
            from pytwfix.tables.proxied import Proxied, ProxyTable

            if isinstance(driver, Proxied):
                return ProxyTable(driver, self._threads)
        from pytwfix.tables.adapter import Table

        return Table(driver, self._threads)

    def writable_driver(self, name: str, flags: int = DEFAULT_FLAGS) -> Driver:
        """The synchronous table for updates and deletes; an indexed file is made when there is none. TableError."""
        from pytwfix.tables.build import open_for_update

        try:
            kind, rest = split_name(name, self.context.default_type)
        except ValueError as error:
            raise TableMisconfigured(name, str(error)) from None
        if kind == "proxy":
            return self._proxied(name, rest, flags, True)
        try:
            return open_for_update(self.context, kind, rest, flags, make=True)
        except OSError as error:
            raise TableUnavailable(name, f"open {error.filename}: {error.strerror}") from None

    def _writable_or_surrogate(self, name: str, flags: int) -> Driver:
        try:
            return self.writable_driver(name, flags)
        except TableError as error:
            self.context.log.error(error.reason)
            return Surrogate(self.context, name, error)

    def driver(self, name: str, flags: int = DEFAULT_FLAGS) -> Driver:
        """The synchronous table. Raises TableError."""
        try:
            kind, rest = split_name(name, self.context.default_type)
        except ValueError as error:
            raise TableMisconfigured(name, str(error)) from None
        if (kind == "proxy" and flags & NO_PROXY) or (kind == "tcp" and flags & NO_UNAUTH):
            raise TableMisconfigured(name, f"{name} map is not allowed for security sensitive data")
        if kind == "proxy":
            return self._proxied(name, rest, flags, False)
        if kind == "debug":
            from pytwfix.tables.debug import Debug

            return Debug(self.context, self.driver(rest, flags))
        driver = _class_of(self.context, kind, name)(self.context, kind, rest, flags)
        if flags & TRUSTED_OWNER and driver.owner() not in self._trusted():
            raise TableMisconfigured(name, f"{driver.path}: not owned by root or the mail owner")
        return driver

    def _proxied(self, name: str, rest: str, flags: int, writable: bool) -> Driver:
        """Tables in files are opened here: nothing runs chrooted. Those of servers, and those that are written, belong
        to one process (NP-9). Commands open all themselves."""
        proxy, in_reactor = self._proxy(), self._in_reactor
        if proxy is not None:
            self._check_approved(name, rest, writable)
        if proxy is None or in_reactor is None or not proxy.remote:
            return self.writable_driver(rest, flags) if writable else self.driver(rest, flags)
        if writable:
            inner = Driver(self.context, *split_name(rest, self.context.default_type), flags)
        else:
            inner = self.driver(rest, flags)
            if not inner.blocking:
                return inner
        from pytwfix.tables.proxied import Proxied

        return Proxied(self.context, inner, proxy, in_reactor, writable)

    def _check_approved(self, name: str, rest: str, writable: bool) -> None:
        """PX-1: only what main.cf lists."""
        from pytwfix.tables.approved import PARAMETERS, approved, refusal

        names = self._approved.get(writable)
        if names is None:
            names = self._approved[writable] = approved(self.context.parameter(PARAMETERS[writable]) or "")
        if rest not in names:
            for text in refusal(rest, writable):
                self.context.log.warning(text)
            raise TableMisconfigured(name, f'proxymap service is not configured for table "{rest}"')

    def _trusted(self) -> tuple[int, ...]:
        """Whose tables may say what is done with other users' rights."""
        import pwd

        try:
            return 0, pwd.getpwnam(self.context.parameter("mail_owner") or "postfix").pw_uid
        except KeyError:
            return (0,)

    def problem(self, name: str, flags: int = DEFAULT_FLAGS) -> str | None:
        """Why a table cannot be opened, for `postfix check`; None when it can."""
        try:
            self.driver(name, flags).close()
        except TableError as error:
            return error.reason
        return None

    def _driver_or_surrogate(self, name: str, flags: int) -> Driver:
        try:
            return self.driver(name, flags)
        except TableError as error:
            self.context.log.error(error.reason)
            return Surrogate(self.context, name, error)

    def close(self) -> None:
        """Close what is open: after a reload, when the last session with the old settings has ended."""
        for table in self._open.values():
            table.close()
        self._open.clear()


def types() -> list[str]:
    """All types that a name can have, those of installed packages too: what `postconf -m` shows."""
    from pytwfix.tables.plugins import plugin_types

    return sorted({*TYPES, "debug", "proxy", *plugin_types()})


def _class_of(context: TableContext, kind: str, name: str) -> Callable[[TableContext, str, str, int], Driver]:
    where = TYPES.get(kind)
    if where is None:
        from pytwfix.tables.plugins import maker

        return maker(context, kind, name)
    module, _, class_name = where.partition(":")
    try:
        found: Any = getattr(import_module(f"pytwfix.tables.{module}"), class_name)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0], kind)
        raise TableMisconfigured(
            name, f"unsupported dictionary type: {kind}. It needs: pip install 'pytwfix[{extra}]'"
        ) from None
    made: Callable[[TableContext, str, str, int], Driver] = found
    return made


def tables_for(host: IHost) -> Tables:
    """The tables of a service: from its host's settings, disk, threads, clock and log."""

    def parameter(name: str, default: str) -> str:
        value = host.parameter(name)
        return default if value is None else value

    return Tables(
        expand=host.expand,
        parameter=host.parameter,
        disk=host.disk,
        threads=host.threads,
        clock=host.monotonic,
        random=host.random,
        log=host.log,
        smtputf8=parameter("smtputf8_enable", "yes").strip().lower() == "yes",
        directory=parameter("queue_directory", ""),
        data_directory=parameter("data_directory", ""),
        default_type="",  # default_database_type is for postmap and its like
        proxy=lambda: host.peers.proxymap,
        in_reactor=getattr(host.reactor, "callFromThread", None),
    )
