"""resolv.conf: which name servers are asked, how long, and which domains are tried (resolv.conf(5)).

`parse` is pure. `ConfigFile` reads the file in a thread and looks from time to time whether it has changed; a file that
is missing or says nothing means a server on this machine, as in the C library. Nothing raises.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from twisted.internet.defer import Deferred, succeed

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.contracts.host import IDisk, IThreads

RESOLV_CONF = "/etc/resolv.conf"
_CHECK_EVERY = 10.0  # seconds between looks at the file
_MAX_SERVERS = 3
_MAX_SEARCH = 6
_SIZE = 1 << 16
_WORDS = re.compile(r"\s+")


class Server(NamedTuple):
    address: str
    port: int = 53


class Config(NamedTuple):
    """`timeout` is for one try of one server, in seconds; `attempts` how often all servers are tried."""

    servers: tuple[Server, ...] = (Server("127.0.0.1"),)
    timeout: float = 5.0
    attempts: int = 2
    rotate: bool = False
    tcp: bool = False
    search: tuple[str, ...] = ()
    ndots: int = 1


def parse(text: str, domain: str = "") -> Config:
    """The configuration that a file's text says. `domain` is searched when the file names none."""
    servers: list[Server] = []
    search: tuple[str, ...] = (domain,) if domain else ()
    options: dict[str, str] = {}
    for line in text.splitlines():
        words = _WORDS.split(re.split("[#;]", line, maxsplit=1)[0].strip())
        word, values = words[0], words[1:]
        if not values:
            continue
        if word == "nameserver" and len(servers) < _MAX_SERVERS:
            servers.append(Server(values[0]))
        elif word in ("search", "domain"):
            search = tuple(value.rstrip(".") for value in values[:_MAX_SEARCH])
        elif word == "options":
            options.update((option.partition(":")[0], option.partition(":")[2]) for option in values)
    return Config(
        tuple(servers) or Config().servers,
        float(_number(options, "timeout", 5, 1, 30)),
        _number(options, "attempts", 2, 1, 5),
        "rotate" in options,
        "use-vc" in options,
        search,
        _number(options, "ndots", 1, 0, 15),
    )


def _number(options: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    text = options.get(name, "")
    return min(max(int(text), least), most) if text.isascii() and text.isdigit() else default


class ConfigFile:
    """The file's configuration, read anew when it has changed."""

    def __init__(
        self, threads: IThreads, disk: IDisk, monotonic: Callable[[], float], path: str = RESOLV_CONF, domain: str = ""
    ) -> None:
        self._threads = threads
        self._disk = disk
        self._monotonic = monotonic
        self._path = path
        self._domain = domain
        self._config: Config | None = None
        self._stamp: tuple[object, ...] = ()
        self._checked = 0.0
        self._reading: list[Deferred[Config]] | None = None

    def current(self) -> Config | Deferred[Config]:
        """What is known, at once; only the first question waits for the disk."""
        config = self._config
        if config is None:
            return self.read()
        if self._monotonic() - self._checked >= _CHECK_EVERY and self._reading is None:
            self.read()
        return config

    def read(self) -> Deferred[Config]:
        """Look at the file now (at a reload)."""
        done: Deferred[Config] = Deferred()
        if self._reading is not None:
            self._reading.append(done)
            return done
        self._reading = [done]
        self._checked = self._monotonic()
        self._threads.run(self._load, self._stamp).addBoth(self._loaded)
        return done

    def _load(self, old: tuple[object, ...]) -> tuple[tuple[object, ...], str] | None:
        """In a thread: the file's text, None when it is as it was."""
        fd = self._disk.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            status = self._disk.fstat(fd)
            stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if stamp == old:
                return None
            return stamp, self._disk.read(fd, _SIZE).decode("utf-8", "replace")
        finally:
            self._disk.close(fd)

    def _loaded(self, found: object) -> None:
        if isinstance(found, tuple):
            self._stamp, text = found
            self._config = parse(text, self._domain)
        elif self._config is None:
            self._config = parse("", self._domain)
        config = self._config
        waiting, self._reading = self._reading or [], None
        for done in waiting:
            done.callback(config)


class FixedConfig:
    """A configuration that does not come from a file."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def current(self) -> Config:
        return self._config

    def read(self) -> Deferred[Config]:
        return succeed(self._config)
