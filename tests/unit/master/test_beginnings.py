"""master/signals.py, limits.py, surroundings.py, lastwords.py: what is so from the first moment on."""

from __future__ import annotations

import os
import resource
import signal
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master import limits
from pytwfix.master.lastwords import LastWords
from pytwfix.master.signals import Signals
from pytwfix.master.surroundings import clean


class Reactor(Clock):
    def callFromThread(self, function: Any, *arguments: Any) -> None:
        self.callLater(0, function, *arguments)


class SignalCase(SynchronousTestCase):
    """MA-5."""

    def setUp(self) -> None:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.told: list[object] = []
        self.reactor = Reactor()
        self.signals = Signals()

    def attach(self) -> None:
        tell = self.told.append
        self.signals.attach(self.reactor, lambda: tell("reload"), tell, lambda: tell("abort"))

    def send(self, *numbers: int) -> list[object]:
        """What came of them."""
        self.told.clear()
        for number in numbers:
            os.kill(os.getpid(), number)
        self.reactor.advance(0)
        return self.told


class Hangups(SignalCase):
    """`postfix reload` while the system starts."""

    def test_early(self) -> None:
        """It is done when it can be, once."""
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
        self.attach()
        self.reactor.advance(0)
        self.assertEqual(self.told, ["reload"])

    def test_later(self) -> None:
        self.attach()
        self.reactor.advance(0)
        self.assertEqual(self.told, [])
        os.kill(os.getpid(), signal.SIGHUP)
        self.reactor.advance(0)
        self.assertEqual(self.told, ["reload"])


class Others(SignalCase):
    def test_ends(self) -> None:
        """TERM and INT are told with their number, as often as they come; QUIT is `postfix abort`."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.attach()
        self.assertEqual(self.send(signal.SIGINT, signal.SIGINT), [signal.SIGINT, signal.SIGINT])
        self.assertEqual(self.send(signal.SIGTERM), [signal.SIGTERM])
        self.assertEqual(self.send(signal.SIGQUIT), ["abort"])

    def test_background(self) -> None:
        """A shell's background job does not get INT."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.attach()
        self.assertEqual(self.send(signal.SIGINT), [])

    def test_ignored(self) -> None:
        """When all is done, another Ctrl-C must not make it look like a crash."""
        self.attach()
        self.signals.ignore()
        self.assertEqual(self.send(signal.SIGINT, signal.SIGTERM, signal.SIGHUP), [])


class Surroundings(SynchronousTestCase):
    """SV-6: import_environment."""

    def cleaned(self, words: str, **environment: str) -> dict[str, str]:
        clean(words, "/etc/p", environment)
        return environment

    def test_named(self) -> None:
        """What is named stays, what is set is set, the rest goes."""
        found = self.cleaned("TZ MISSING LANG=C { A = b c }", TZ="UTC", PATH="/bin", LANG="de_DE", HOME="/root")
        self.assertEqual(found, {"TZ": "UTC", "LANG": "C", "A": "b c", "MAIL_CONFIG": "/etc/p"})

    def test_nothing(self) -> None:
        """Programs find this instance even so."""
        self.assertEqual(self.cleaned("", MAIL_CONFIG="/other", X="1"), {"MAIL_CONFIG": "/etc/p"})


class Words(SynchronousTestCase):
    """MA-6: why it did not start."""

    def setUp(self) -> None:
        self.reader, writer = os.pipe()
        self.addCleanup(os.close, self.reader)
        kept = os.dup(2)
        os.dup2(writer, 2)
        os.close(writer)
        try:
            self.words = LastWords()
        finally:
            os.dup2(kept, 2)
            os.close(kept)

    def test_said(self) -> None:
        """On the standard error of the start, whatever it has become; once."""
        self.words.say("no such \xfcser")
        self.words.say("again")
        self.assertEqual(os.read(self.reader, 99), "pytwfix: fatal: no such \xfcser\n".encode())
        self.assertEqual(os.read(self.reader, 99), b"")

    def test_closed(self) -> None:
        """Whoever waits for the end of the output does not wait for the end of the system."""
        self.words.close()
        self.words.close()
        self.assertEqual(os.read(self.reader, 99), b"")


class Limits(SynchronousTestCase):
    """master/limits.py: thousands of connections."""

    def _raised(self, soft: int, hard: int) -> list[tuple[int, int]]:
        made: list[tuple[int, int]] = []
        self.patch(resource, "getrlimit", lambda which: (soft, hard))
        self.patch(resource, "setrlimit", lambda which, limits: made.append(limits))
        limits.raise_descriptor_limit()
        return made

    def test_raised(self) -> None:
        self.assertEqual(self._raised(1024, 4096), [(4096, 4096)])
        self.assertEqual(self._raised(1024, 1 << 20), [(limits.MOST, 1 << 20)])
        self.assertEqual(self._raised(1024, resource.RLIM_INFINITY), [(limits.MOST, resource.RLIM_INFINITY)])

    def test_enough(self) -> None:
        self.assertEqual(self._raised(4096, 4096), [])
        self.assertEqual(self._raised(resource.RLIM_INFINITY, resource.RLIM_INFINITY), [])
