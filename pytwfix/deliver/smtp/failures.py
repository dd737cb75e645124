"""What went wrong, in Postfix's words and with its status (SM-8, SM-3, OB-1). Pure."""

from __future__ import annotations

import os

from twisted.internet import error

from pytwfix.contracts.dns import DnsError, NoData, NoSuchName, TryAgain
from pytwfix.deliver.smtp.wire import TIMEOUT
from pytwfix.dialogs.smtp_client import Stage
from pytwfix.dialogs.smtp_client_replies import Answer
from pytwfix.mail.status import RELAYED, Dsn
from pytwfix.mail.tlsrpt import Fault


class Trouble(Exception):
    """No mail can go to this server, or to this destination. `relay` is who said so, "none" if nobody was reached.

    `handshake`: it did not come to MAIL, which is bad news about the destination as a whole (SC-3). `elsewhere`:
    another server may be asked although the status is permanent. `fault` is what a report on TLS says (RFC 8460).
    """

    def __init__(
        self, dsn: Dsn, relay: str = "none", handshake: bool = True, elsewhere: bool = False, fault: Fault | None = None
    ) -> None:
        super().__init__(dsn.reason)
        self.dsn = dsn
        self.relay = relay
        self.handshake = handshake
        self.elsewhere = elsewhere
        self.fault = fault


class TlsFailed(Trouble):
    """There is no TLS with this server: in the clear it might work (TL-7)."""


class LoopsBack(Trouble):
    """The best server for this destination is this machine (OB-4)."""


def said(host: str, namaddr: str, stage: Stage, answer: Answer) -> Dsn:
    """A reply that refuses, or that makes no sense here although it sounds friendly (OB-3)."""
    text = answer.text
    reason = f"host {namaddr} said: {text} (in reply to {stage.command})"
    if answer.dsn[0] == "2":
        reason = "Protocol error: " + reason
    return Dsn(answer.failure, reason, "", "smtp", text, "dns", host)


def refused(host: str, namaddr: str, answer: Answer, soften: bool = False) -> Dsn:
    """The server does not want to talk to us. `soften`: another one may (smtp_skip_5xx_greeting)."""
    text = answer.text
    status = answer.failure
    if soften and answer.kind == 5:
        status = "4" + status[1:]
    return Dsn(status, f"host {namaddr} refused to talk to me: {text}", "", "smtp", text, "dns", host)


def sent(host: str, answer: Answer, action: str = RELAYED) -> Dsn:
    """A reply that accepts."""
    text = answer.text
    status = answer.dsn if answer.kind == 2 else "2.0.0"
    return Dsn(status, text, action, "smtp", text, "dns", host)


def gone(namaddr: str, why: str, stage: Stage) -> Dsn:
    """The connection ended in the middle; `why` is what Wire.gone says."""
    if why == TIMEOUT:
        return Dsn("4.4.2", f"conversation with {namaddr} timed out while {stage.activity}")
    return Dsn("4.4.2", f"lost connection with {namaddr} while {stage.activity}")


def loops_back(domain: str) -> LoopsBack:
    return LoopsBack(Dsn("5.4.6", f"mail for {domain} loops back to myself"))


def not_found(problem: DnsError) -> Dsn:
    """Name service has no answer."""
    if isinstance(problem, TryAgain):
        status = "4.4.3"
    elif isinstance(problem, (NoSuchName, NoData)):
        status = "5.4.4"
    else:
        status = "5.4.3"
    return Dsn(status, problem.text)


def connect_text(problem: BaseException | None) -> str:
    """Why there is no connection, as the system says it."""
    if isinstance(problem, error.ConnectError):
        number = problem.osError.errno if isinstance(problem.osError, OSError) else problem.osError
        if isinstance(number, int) and number:
            return os.strerror(number)
        if isinstance(problem, error.TimeoutError):
            return "Connection timed out"
    if isinstance(problem, OSError):
        return problem.strerror or str(problem)
    return str(problem)
