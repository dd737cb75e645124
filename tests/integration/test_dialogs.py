"""Every transcript of tests/dialogs/smtpd against the daemon, and against a real Postfix where there is one: all
replies and all log lines (SD-1 to SD-60, LG-1 to LG-6)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence

from tests.integration.world import World, WorldCase
from tests.kit import certificates
from tests.kit.chatting import FAILING, MAIN, ZONE, DaemonPlayer, transcripts
from tests.kit.dovecot import Dovecot
from tests.kit.mailsystem import INLINE, POSTFIX, WORKERS2, listener
from tests.kit.privatedns import PrivateDns
from tests.kit.transcript import DAEMON, REAL, Transcript, play
from tests.kit.waiting import free_port

_SERVFAIL = 2


class ChatWorld(World):
    """A service for each transcript; names are asked of a name server of ours."""

    def prepare(self) -> None:
        self.transcripts = {one.name: one for one in transcripts()}
        self.at = dict(zip(self.transcripts, _different(len(self.transcripts)), strict=True))
        self.dns = PrivateDns(ZONE)
        self.closers.append(self.dns.close)
        self.dns.server.rcodes.update(dict.fromkeys(FAILING, _SERVFAIL))
        self.dovecot = Dovecot()
        self.closers.append(self.dovecot.close)
        self.folder = tempfile.mkdtemp(prefix="pytwfix-chats-")
        self.closers.append(lambda: shutil.rmtree(self.folder))
        self.authority = f"{self.folder}/ca.pem"
        with open(self.authority, "wb") as file:
            file.write(certificates.authority())
        with open(f"{self.folder}/client.pem", "wb") as file:
            file.write(b"".join(reversed(certificates.leaf("client.example"))))

    def main(self) -> Mapping[str, str]:
        return {
            **MAIN, "smtpd_tls_chain_files": "@CONFIG@/chain.pem", "smtpd_sasl_path": self.dovecot.socket,
            "relayhost": "", "smtpd_tls_CAfile": "@CONFIG@/ca.pem",
        }  # fmt: skip

    def tables(self) -> Mapping[str, str]:
        certificate, key = certificates.leaf("mx.test.example")
        return {"chain.pem": key.decode() + certificate.decode(), "ca.pem": certificates.authority().decode()}

    def services(self) -> Sequence[str]:
        wanted = [one for one in self.transcripts.values() if self._where() not in one.skipped]
        return [*super().services(), *map(self._service, wanted)]

    def _service(self, one: Transcript) -> str:
        options = {"syslog_name": f"postfix/{one.name}", **one.parameters}
        return listener(self.at[one.name], *(f"{name} = {value}" for name, value in options.items()))

    def _where(self) -> str:
        return REAL if self.real else DAEMON

    def furnish(self) -> None:
        self.system.prefix = self.dns.prefix


def _different(count: int) -> list[int]:
    """Free ports, no two the same."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return sorted(found)


class _Dialogs(WorldCase):
    """One test a transcript."""

    world_class = ChatWorld
    world: ChatWorld

    def play(self, transcript: Transcript) -> None:
        where = REAL if self.world.real else DAEMON
        if where in transcript.skipped:
            self.skipTest(transcript.skipped[where])
        player = DaemonPlayer(self.system, transcript.name, self.world.at[transcript.name], self.world.authority)
        play(transcript, player, self.world.real, self.fail)


def _test(transcript: Transcript) -> Callable[[_Dialogs], None]:
    def test(self: _Dialogs) -> None:
        self.play(transcript)

    test.__doc__ = transcript.title
    return test


_tests = {"test_" + one.name.replace("-", "_"): _test(one) for one in transcripts()}
for _mode in (INLINE, WORKERS2, POSTFIX):
    _name = f"Dialogs_{_mode}"
    globals()[_name] = type(_name, (_Dialogs,), {"mode": _mode, "__module__": __name__, **_tests})
