"""The spawn service: sockets to factory, one command a connection (SP-1)."""

from __future__ import annotations

import grp
import os
import pwd
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from pytwfix.basics.durations import parse_duration
from pytwfix.basics.environment import chosen
from pytwfix.contracts.asuser import AsUserError, CommandRun, Identity
from pytwfix.contracts.host import IHost
from pytwfix.spawn import log
from pytwfix.spawn.arguments import ArgumentError, Attributes, parse
from pytwfix.spawn.settings import SpawnSettings

_PATH = "/usr/bin:/bin"


class SpawnService(Service):
    """`arguments` are the words of the line in master.cf behind program name and -o options."""

    def __init__(self, host: IHost, arguments: list[str]) -> None:
        self.host = host
        self._arguments = arguments

    def factory(self) -> IProtocolFactory:
        factory: Any = Factory.forProtocol(lambda: Spawned(self))  # type: ignore[arg-type]
        factory.noisy = False
        return factory  # type: ignore[no-any-return]

    async def run(self, connection: int) -> None:
        """The command's life. What goes wrong is logged; the connection then just ends."""
        cfg = self.host.settings(SpawnSettings)
        try:
            attributes = parse(self._arguments)
            owner = "" if self.host.peers.asuser.one_user else cfg.mail_owner
            who = await self.host.threads.run(identity, attributes, owner)
        except ArgumentError as error:
            log.bad_service(self.host.log, cfg.config_directory, self.host.service, str(error))
            return
        command = attributes.argv[0]
        request = CommandRun(attributes.argv, self._environment(), b"", time_limit=self._time_limit())
        try:
            result = await self.host.peers.asuser.spawn(who, request, connection)
        except AsUserError as error:
            log.failed(self.host.log, command, error.text)
            return
        if result.timed_out:
            log.time_limit(self.host.log, command)
        elif result.status:
            log.ended(self.host.log, command, result.status)

    def _time_limit(self) -> float:
        own = self.host.parameter(f"{self.host.service}_time_limit")
        return float(parse_duration(own)) if own else float(self.host.settings(SpawnSettings).command_time_limit)

    def _environment(self) -> dict[str, str]:
        cfg = self.host.settings(SpawnSettings)
        imported = chosen(cfg.import_environment, os.environ)
        imported["MAIL_CONFIG"] = cfg.config_directory
        return {"PATH": _PATH, **chosen(cfg.export_environment, imported)}


class Spawned(Protocol):
    """Holds the connection, without reading, until the command has ended."""

    transport: Any = None

    def __init__(self, service: SpawnService) -> None:
        self._service = service
        self._counted = False

    def connectionMade(self) -> None:
        host = self._service.host
        if not host.connected():
            self.transport.loseConnection()
            return
        self._counted = True
        self.transport.pauseProducing()  # what arrives is for the command
        host.background(self._life(), f"spawn {host.service}")

    async def _life(self) -> None:
        try:
            await self._service.run(self.transport.fileno())
        finally:
            os.set_blocking(self.transport.fileno(), False)  # the command had it otherwise
            self.transport.resumeProducing()
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """Nothing is read here but what comes after the command has ended."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._counted:
            self._counted = False
            self._service.host.disconnected()


def identity(attributes: Attributes, mail_owner: str) -> Identity:
    """The line's user and group; ArgumentError when they do not exist or are too mighty. Blocks."""
    try:
        user = pwd.getpwnam(attributes.user)
    except KeyError:
        raise ArgumentError(f"unknown username: {attributes.user}") from None
    gid = user.pw_gid
    if attributes.group:
        try:
            gid = grp.getgrnam(attributes.group).gr_gid
        except KeyError:
            raise ArgumentError(f"unknown group: {attributes.group}") from None
    if user.pw_uid == 0:
        raise ArgumentError("user= command-line attribute specifies root privileges")
    if user.pw_name == mail_owner:
        raise ArgumentError(f"user= command-line attribute specifies mail system owner {mail_owner}")
    if gid == 0:
        raise ArgumentError("user= command-line attribute specifies privileged group id 0")
    return Identity(user.pw_uid, gid)
