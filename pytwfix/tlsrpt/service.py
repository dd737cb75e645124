"""The one owner of TLS reports: makes them when a day is over, sends them, and throws old ones away (RFC 8460)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import DeferredSemaphore, gatherResults

from pytwfix.basics.tasks import start
from pytwfix.mail.tlsrpt import Sender
from pytwfix.tlsrpt import log
from pytwfix.tlsrpt.making import Maker
from pytwfix.tlsrpt.sending import Sending
from pytwfix.tlsrpt.settings import ReportSettings
from pytwfix.tlsrpt.shelf import Shelf, Waiting

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from pytwfix.contracts.host import IHost

_GRACE = 60.0  # seconds in which all who count have written what they counted
_AT_ONCE = 5  # reports that are being sent
_SOONEST = 0.5


class TlsrptService(Service):
    """See the module."""

    def __init__(self, host: IHost) -> None:
        self._host = host
        self._timer: IDelayedCall | None = None
        self._busy = False
        self._said = ""

    def startService(self) -> None:
        super().startService()
        self.reloaded()

    def stopService(self) -> None:
        super().stopService()
        self._cancel()

    def reloaded(self) -> None:
        """The settings of now: what is over already is reported at once."""
        self._cancel()
        if self._host.settings(ReportSettings).pytwfix_tlsrpt:
            self._timer = self._host.call_later(0, self._due)

    def _cancel(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _due(self) -> None:
        self._timer = None
        if not self._busy:
            self._busy = True
            self._host.background(self._turn(), "TLS reports")

    async def _turn(self) -> None:
        cfg = self._host.settings(ReportSettings)
        period = cfg.pytwfix_tlsrpt_period
        grace = min(_GRACE, period)
        now = self._host.now()
        after = (now - grace) // period * period + period + grace  # when the next time is over
        try:
            after = min(after, await self._work(cfg, now - grace))
        except OSError as error:
            self._complain(error)
        finally:
            self._busy = False
            if self.running and self._host.settings(ReportSettings).pytwfix_tlsrpt:
                self._cancel()
                self._timer = self._host.call_later(max(_SOONEST, after - self._host.now()), self._due)

    def _complain(self, error: OSError) -> None:
        """Once for each way in which the disk does not work."""
        if str(error) != self._said:
            log.disk(self._host.log, str(error))
        self._said = str(error)

    async def _work(self, cfg: ReportSettings, until: float) -> float:
        """When the next report is to be sent, if any waits."""
        host = self._host
        shelf = Shelf(host.disk, f"{cfg.data_directory}/tlsrpt")
        sender = sender_of(cfg)
        due = self._random_time if cfg.pytwfix_tlsrpt_send else None
        maker = Maker(shelf, sender, due)
        try:
            await host.threads.run(maker.make, until)
        finally:
            for note in maker.notes:
                note(host.log)
        waiting: list[Waiting] = await host.threads.run(shelf.all_waiting)
        if cfg.pytwfix_tlsrpt_send:
            await self._send(Sending(host, cfg, sender, shelf), [one for one in waiting if one.due <= host.now()])
            waiting = await host.threads.run(shelf.all_waiting)
        else:
            waiting = []
        await host.threads.run(shelf.clean, host.now() - cfg.pytwfix_tlsrpt_keep)
        return min((max(one.due, host.now() + _GRACE) for one in waiting), default=float("inf"))

    def _random_time(self) -> float:
        """Not all the world's reports at midnight (RFC 8460 section 4.1)."""
        return self._host.now() + self._host.random.random() * self._host.settings(ReportSettings).pytwfix_tlsrpt_delay

    async def _send(self, sending: Sending, waiting: list[Waiting]) -> None:
        """Some at once: a web server that does not answer holds up few others."""
        turns = DeferredSemaphore(_AT_ONCE)

        def one(report: Waiting) -> Deferred[None] | None:
            return start(self._sent(sending, report)) if self.running else None

        await gatherResults([turns.run(one, report) for report in waiting], consumeErrors=True)

    async def _sent(self, sending: Sending, report: Waiting) -> None:
        try:
            await sending.send(report)
        except OSError as error:
            self._complain(error)


def sender_of(cfg: ReportSettings) -> Sender:
    """The domain is that of the address which reports are from: who signs them, signs for it."""
    contact = cfg.pytwfix_tlsrpt_contact
    if "@" not in contact:
        contact = f"{contact}@{cfg.mydomain}"
    domain = contact.rpartition("@")[2].strip(" >").lower()
    return Sender(cfg.pytwfix_tlsrpt_organization, contact, domain.replace("/", "_").replace("!", "_"))
