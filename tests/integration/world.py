"""What integration tests stand on: a world of a mail system and its peers, shared by the tests of a class.

Every class runs three times: inline, with one worker, and with two (which gives the queue a process of its own).
PYTWFIX_TEST_SYSTEM has other modes to run in; `postfix` among them is a real one, which shows whether tests are right.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import smtplib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.kit.mailsystem import MODES, POSTFIX, listener, make, missing
from tests.kit.sinks import Received, Sink
from tests.kit.waiting import free_port

_numbers = itertools.count(1)


def new_token() -> str:
    """A word that no other mail of this run has."""
    return f"token{os.getpid()}x{next(_numbers)}x"


class World:
    """A mail system that runs, with a sink that its relayhost is. A test module's own world adds to it."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.real = mode == POSTFIX
        self.sink = Sink()
        self.port = free_port()
        self.closers: list[Callable[[], object]] = [self.sink.close]
        try:
            self._start(mode)
        except BaseException:
            self.close()
            raise

    def _start(self, mode: str) -> None:
        self.prepare()
        relayhost = {"relayhost": f"[127.0.0.1]:{self.sink.port}"}
        self.system = make(mode, {**relayhost, **self.main()}, self.services(), self.tables())
        self.closers.append(self.system.remove)
        self.furnish()
        self.system.start(*self.ports())

    def prepare(self) -> None:
        """Peers that must be there before the configuration is written."""

    def main(self) -> Mapping[str, str]:
        """Parameters."""
        return {}

    def services(self) -> Sequence[str]:
        """Lines of master.cf."""
        return [listener(self.port)]

    def ports(self) -> Sequence[int]:
        """Those that are listened on when it has started."""
        return [self.port]

    def tables(self) -> Mapping[str, str]:
        """Files of the configuration."""
        return {}

    def furnish(self) -> None:
        """The last touch before the start: indexed tables, users' files."""

    def close(self) -> None:
        for closer in reversed(self.closers):
            with contextlib.suppress(Exception):
                closer()

    def send(
        self,
        to: str | Sequence[str],
        *,
        sender: str = "from@there.example",
        headers: str = "",
        body: str | bytes = "hello\r\n",
        subject: str = "a test",
        port: int = 0,
        mail: Sequence[str] = (),
        rcpt: Sequence[str] = (),
    ) -> str:
        """Send one mail by SMTP; its token, which is in its header."""
        token = new_token()
        recipients = [to] if isinstance(to, str) else list(to)
        head = f"From: <{sender or 'nobody@there.example'}>\r\nSubject: {subject}\r\nX-Token: {token}\r\n{headers}\r\n"
        raw = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
        with smtplib.SMTP("127.0.0.1", port or self.port, local_hostname="client.example", timeout=30) as client:
            client.sendmail(sender, recipients, head.encode() + raw, list(mail), list(rcpt))
        return token

    def got(self, token: str, sink: Sink | None = None, seconds: float = 20) -> Received:
        """The message that came to the sink with this token."""
        return (sink or self.sink).find(token, seconds, lambda: f"{token} did not come\n{self.system.told()}")

    def refused(self, to: str, **more: Any) -> str:
        """The reply with which a mail is refused, or nothing."""
        try:
            self.send(to, **more)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return f"{code} {text.decode()}"
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error
            return f"{error.smtp_code} {said.decode() if isinstance(said, bytes) else said}"
        return ""


_W = TypeVar("_W", bound=World)
_current: list[tuple[type[World], str, World | BaseException]] = []


def _shared(kind: type[World], mode: str) -> World:
    """The world of this kind and mode: the last one that was asked for is kept, and others are closed."""
    if _current and _current[0][:2] != (kind, mode):
        _close_current()
    if not _current:
        try:
            _current.append((kind, mode, kind(mode)))
        except Exception as error:
            _current.append((kind, mode, error))
            raise
    found = _current[0][2]
    if isinstance(found, BaseException):
        raise AssertionError(f"{mode} did not start for an earlier test: {found}")
    return found


def _close_current() -> None:
    while _current:
        world = _current.pop()[2]
        if isinstance(world, World):
            world.close()


atexit.register(_close_current)


class WorldCase(SynchronousTestCase):
    """Tests that ask `self.world`, which they share; those who end the mail system say `fresh = True`."""

    world_class: ClassVar[type[World]] = World
    mode: ClassVar[str] = ""
    fresh = False
    needs_root = False
    not_real = ""
    """Why a real Postfix cannot be asked this, if so."""

    def setUp(self) -> None:
        if self.needs_root and os.geteuid() != 0:
            raise SkipTest("needs root")
        reason = missing(self.mode) or (self.not_real if self.mode == POSTFIX else "")
        if reason:
            raise SkipTest(reason)
        if self.fresh:
            _close_current()
        self.world = _shared(self.world_class, self.mode)
        self.system = self.world.system
        if self.fresh:
            self.addCleanup(_close_current)

    def assertLogged(self, pattern: str, mark: int = 0, seconds: float = 20) -> str:
        return self.system.wait_log(pattern, mark, seconds)

    def pause(self, seconds: float) -> None:
        """For what must *not* happen: there is nothing to wait for."""
        time.sleep(seconds)


def in_each_mode(cases: type[WorldCase]) -> tuple[type[WorldCase], ...]:
    """Decorator: the tests of a class in every mode. It puts the classes into the module that `cases` is from."""
    modes = os.environ.get("PYTWFIX_TEST_SYSTEM", " ".join(MODES)).split()
    module = sys.modules[cases.__module__]
    made = []
    for mode in modes:
        name = f"{cases.__name__}_{mode}"
        case = type(name, (cases,), {"mode": mode, "__module__": cases.__module__, "__doc__": cases.__doc__})
        setattr(module, name, case)
        made.append(case)
    return tuple(made)
