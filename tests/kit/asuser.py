"""IAsUser in memory: what was written, read and run, and by whom (contracts/asuser.py)."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed

from pytwfix.contracts.asuser import AsUserError, CommandResult, CommandRun, FileRead, Identity, MailboxWrite


class MemoryAsUser:
    """`files` are what can be read; `trouble` maps a path, or a command's first word, to the error that it gives;
    `results` a command's first word to its end."""

    one_user = False

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.trouble: dict[str, AsUserError] = {}
        self.results: dict[str, CommandResult] = {}
        self.written: list[tuple[Identity, MailboxWrite]] = []
        self.commands: list[tuple[Identity, CommandRun]] = []

    def write(self, who: Identity, request: MailboxWrite) -> Deferred[int]:
        if request.path in self.trouble:
            return fail(self.trouble[request.path])
        before = sum(len(other.data) for _, other in self.written if other.path == request.path)
        self.written.append((who, request))
        return succeed(before)

    def read(self, who: Identity, request: FileRead) -> Deferred[bytes | None]:
        if request.path in self.trouble:
            return fail(self.trouble[request.path])
        return succeed(self.files.get(request.path))

    def run(self, who: Identity, request: CommandRun) -> Deferred[CommandResult]:
        if request.argv[0] in self.trouble:
            return fail(self.trouble[request.argv[0]])
        self.commands.append((who, request))
        return succeed(self.results.get(request.argv[0], CommandResult(0, b"")))

    def spawn(self, who: Identity, request: CommandRun, connection: int) -> Deferred[CommandResult]:
        return self.run(who, request)

    @property
    def paths(self) -> list[str]:
        return [request.path for _, request in self.written]
