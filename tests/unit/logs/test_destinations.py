"""Where log lines go: a file, standard output, syslog (LG-17, PL-1, PX-4)."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.logs import destinations
from pytwfix.logs.destinations import INFO, WARNING, FileLog, StdoutLog, Syslog, destination
from pytwfix.logs.switch import LogSwitch


def read(path: str) -> str:
    with open(path) as file:
        return file.read()


class Files(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = os.path.abspath(self.mktemp())

    def test_written_together(self) -> None:
        """LG-17: lines of one turn in one write, with time and host."""
        log = FileLog(self.path, 0o640, clock=lambda: 0.0)
        self.addCleanup(os.close, log.fileno())
        log.write("postfix/smtpd[1]: ", INFO, "one")
        log.write("postfix/qmgr[2]: ", INFO, "two")
        self.assertEqual(read(self.path), "")
        log.flush()
        start = time.strftime("%b %e %H:%M:%S ", time.localtime(0)) + socket.gethostname().split(".")[0]
        self.assertEqual(read(self.path), f"{start} postfix/smtpd[1]: one\n{start} postfix/qmgr[2]: two\n")
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o640)

    def test_bounded(self) -> None:
        """A burst does not gather without end."""
        log = FileLog(self.path)
        self.addCleanup(os.close, log.fileno())
        for _ in range(250):
            log.write("x: ", INFO, "y")
        self.assertEqual(read(self.path).count("\n"), 200)

    def test_rotated(self) -> None:
        """PX-4: a file that was renamed is left, and a new one begun."""
        log = FileLog(self.path)
        log.write("x: ", INFO, "old")
        os.rename(self.path, self.path + ".1")
        log.reopen()
        log.write("x: ", INFO, "new")
        log.flush()
        self.assertIn("x: old\n", read(self.path + ".1"))
        self.assertIn("x: new\n", read(self.path))
        fd = os.open(self.path + ".2", os.O_WRONLY | os.O_CREAT)
        log.reopen(fd)
        self.assertEqual(log.fileno(), fd)
        os.close(fd)

    def test_what_cannot_be_opened(self) -> None:
        """A log that has gone stays where it is; one that is not there at the start is an error."""
        log = FileLog(self.path)
        self.addCleanup(os.close, log.fileno())
        log._path = "/nonexistent/log"
        log.reopen()
        log.write("x: ", INFO, "y")
        log.flush()
        self.assertIn("x: y\n", read(self.path))
        self.assertRaises(OSError, FileLog, "/nonexistent/log")
        os.symlink(self.path, self.path + ".link")
        self.assertRaises(OSError, FileLog, self.path + ".link")

    def test_full_disk(self) -> None:
        """Lines are lost; the mail goes on."""
        log = FileLog("/dev/full", fd=os.open("/dev/full", os.O_WRONLY))
        self.addCleanup(os.close, log.fileno())
        log.write("x: ", INFO, "y")
        log.flush()


class SystemLog(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = tempfile.mkdtemp()  # a socket's name must be short
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = self.directory + "/log"
        self.clock = Clock()
        self.log = Syslog("local3", self.path, clock=self.clock.seconds)

    def listen(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)
        sock.bind(self.path)
        sock.settimeout(5)
        return sock

    def tearDown(self) -> None:
        if self.log._socket is not None:
            self.log._socket.close()

    def test_form(self) -> None:
        """LG-17: facility and priority, time, tag."""
        server = self.listen()
        self.log.write("postfix/smtpd[1]: ", WARNING, "warning: x")
        self.log.flush()
        start = time.strftime("%b %e %H:%M:%S ", time.localtime(0))
        self.assertEqual(server.recv(999).decode(), f"<{19 * 8 + 4}>{start}postfix/smtpd[1]: warning: x")

    def test_comes_late(self) -> None:
        """Lines wait for a syslogd that is not there yet, or again; it is looked for once a second."""
        for _ in range(3):
            self.log.write("x: ", INFO, "y")
        self.log.flush()
        server = self.listen()
        self.log.flush()
        self.assertEqual(len(self.log._waiting), 3)
        self.clock.advance(1)
        self.log.flush()
        self.assertEqual(self.log._waiting, [])
        server.close()
        self.log.write("x: ", INFO, "z")
        self.log.flush()
        os.unlink(self.path)
        self.log.flush()
        again = self.listen()
        self.clock.advance(1)
        self.log.flush()
        self.assertTrue(again.recv(999).endswith(b"x: z"))

    def test_bounded(self) -> None:
        """When it never comes, the oldest lines are forgotten."""
        for number in range(10300):
            self.log.write("x: ", INFO, str(number))
        self.log.flush()
        self.assertEqual(len(self.log._waiting), 10000)
        self.assertTrue(self.log._waiting[-1].endswith(b"x: 10299"))


class Choice(SynchronousTestCase):
    def test_by_parameters(self) -> None:
        """LG-17: maillog_file, /dev/stdout, or syslog with syslog_facility."""
        self.assertIsInstance(destination("/dev/stdout", "mail"), StdoutLog)
        path = os.path.abspath(self.mktemp())
        log = destination(path, "mail", "0644")
        assert isinstance(log, FileLog)
        self.addCleanup(os.close, log.fileno())
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)
        self.assertIsInstance(destination("", "local0"), Syslog)

    def test_an_unknown_facility(self) -> None:
        log = destination("", "nonsense")
        assert isinstance(log, Syslog)
        self.assertEqual(log._facility, destinations.FACILITIES["mail"])


class Switch(SynchronousTestCase):
    def test_moves(self) -> None:
        """LG-17: at a reload the log may be another one; what waits goes to the old one."""
        first, second = os.path.abspath(self.mktemp()), os.path.abspath(self.mktemp())
        one, two = FileLog(first), FileLog(second)
        self.addCleanup(os.close, one.fileno())
        switch = LogSwitch(one)
        switch.write("x: ", INFO, "one")
        switch.point(two)
        switch.write("x: ", INFO, "two")
        os.rename(second, second + ".1")
        switch.reopen()
        switch.write("x: ", INFO, "three")
        switch.flush()
        self.addCleanup(os.close, switch.fileno())
        self.assertTrue(read(first).endswith("x: one\n"))
        self.assertTrue(read(second + ".1").endswith("x: two\n"))
        self.assertTrue(read(second).endswith("x: three\n"))

    def test_no_file(self) -> None:
        self.assertEqual(LogSwitch(StdoutLog()).fileno(), -1)
        self.assertEqual(LogSwitch(destinations.MemoryLog()).fileno(), -1)
