"""master/control.py and master/controlsocket.py."""

from __future__ import annotations

import json
import os
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.mail.errors import MailError
from pytwfix.mail.reply import Reply
from pytwfix.master.control import Control
from pytwfix.master.controlsocket import ControlConnection
from tests.kit.host import MemoryHost


class _Socket:
    """Says that root, or another user, is at the other end."""

    def __init__(self, uid: int) -> None:
        self.uid = uid

    def getsockopt(self, *_: Any) -> bytes:
        return (1).to_bytes(4, "little") + self.uid.to_bytes(4, "little") + (0).to_bytes(4, "little")


class _Pickup:
    def __init__(self) -> None:
        self.taken: list[tuple[bytes, int]] = []
        self.error: MailError | None = None
        self.triggered = 0

    def trigger(self) -> None:
        self.triggered += 1

    def submit(self, records: bytes, uid: int) -> Deferred[str]:
        if self.error is not None:
            return fail(self.error)
        self.taken.append((records, uid))
        return succeed("ABC123")


class _Queue:
    def __init__(self) -> None:
        self.calls: list[Any] = []

    def flush(self, sites: Any = None) -> Deferred[None]:
        self.calls.append(("flush", sites))
        return succeed(None)

    def deliver_now(self, queue_id: str) -> Deferred[bool]:
        self.calls.append(("deliver", queue_id))
        return succeed(True)

    def forget(self, queue_ids: Any) -> None:
        self.calls.append(("forget", list(queue_ids)))


class TestControl(SynchronousTestCase):
    def setUp(self) -> None:
        self.queue = _Queue()
        self.pickup = _Pickup()
        self.reloads = 0

    def talk(self, data: bytes, uid: int = 0, private: bool = False, **main: str) -> list[dict[str, Any]]:
        host = MemoryHost({"queue_directory": self.mktemp(), **main}, "pickup", "pickup", queue=self.queue)
        control = Control(host, self.pickup, self._reload)  # type: ignore[arg-type]
        connection = ControlConnection(host, control, private)  # type: ignore[arg-type]
        transport: Any = StringTransport()
        transport.socket = _Socket(uid)
        connection.makeConnection(transport)
        for at in range(0, len(data), 7):
            connection.dataReceived(data[at : at + 7])
        self.transport = transport
        return [json.loads(line) for line in transport.value().decode().splitlines()]

    def _reload(self) -> None:
        self.reloads += 1

    def test_flush(self) -> None:
        """PQ-1: postqueue -f and -s."""
        self.assertEqual([{"ok": True}], self.talk(b'{"verb": "flush"}\n'))
        self.talk(b'{"verb": "flush", "sites": ["example.com"]}\n')
        self.assertEqual([("flush", None), ("flush", ["example.com"])], self.queue.calls)
        self.assertEqual(1, self.pickup.triggered)

    def test_authorized_users(self) -> None:
        """PQ-1: authorized_flush_users and authorized_mailq_users hold for all but root."""
        for verb, name in (("flush", "authorized_flush_users"), ("list", "authorized_mailq_users")):
            request = json.dumps({"verb": verb}).encode() + b"\n"
            (answer,) = self.talk(request, 65534, False, **{name: "root"})
            self.assertEqual((False, 77), (answer["ok"], answer["code"]))
            self.assertEqual({"ok": True}, self.talk(request, 0, False, **{name: "root"})[-1])
            self.assertEqual({"ok": True}, self.talk(request, 65534, False, **{name: "!root, static:x"})[-1])

    def test_deliver(self) -> None:
        """PQ-1: postqueue -i; what is no queue ID is refused."""
        self.talk(b'{"verb": "deliver", "id": "ABC123DEF"}\n')
        self.assertEqual([("deliver", "ABC123DEF")], self.queue.calls)
        self.assertFalse(self.talk(b'{"verb": "deliver", "id": "../x"}\n')[-1]["ok"])

    def test_submit(self) -> None:
        """PD-1: records, with the kernel's word on who it is."""
        answer = self.talk(b'{"verb": "submit"}\n5\nhello', 1000)
        self.assertEqual([{"ok": True, "queue_id": "ABC123"}], answer)
        self.assertEqual([(b"hello", 1000)], self.pickup.taken)

    def test_said_twice(self) -> None:
        """One question a connection: what follows it is not looked at."""
        answer = self.talk(b'{"verb": "submit"}\n5\nhello5\nworld' + bytes(100000), 1000)
        self.assertEqual([{"ok": True, "queue_id": "ABC123"}], answer)
        self.assertEqual([(b"hello", 1000)], self.pickup.taken)

    def test_submit_refused(self) -> None:
        self.pickup.error = MailError(Reply(451, "4.3.0", "mail system: No space left on device"))
        (answer,) = self.talk(b'{"verb": "submit"}\n5\nhello', 1000)
        self.assertEqual({"ok": False, "error": "mail system: No space left on device", "code": 75}, answer)

    def test_private_verbs(self) -> None:
        """What changes the system is not for everyone."""
        for verb in ("reload", "forget", "stop"):
            request = json.dumps({"verb": verb, "ids": []}).encode() + b"\n"
            self.assertEqual(77, self.talk(request, 1000)[-1]["code"], verb)
        self.assertEqual([{"ok": True}], self.talk(b'{"verb": "reload"}\n', 0, private=True))
        self.talk(b'{"verb": "forget", "ids": ["ABC123DEF", "../x"]}\n', 0, private=True)
        self.assertEqual((1, [("forget", ["ABC123DEF"])]), (self.reloads, self.queue.calls))
        self.assertEqual(1, self.pickup.triggered)  # PS-21: postsuper -r puts files into maildrop

    def test_nonsense(self) -> None:
        """Bad input gets an answer."""
        submit = b'{"verb": "submit"}\n'
        for data in (b"\n", b"[]\n", b'{"verb": 1}\n', b"\xff\n", submit + b"-5\n", submit + b"x\n"):
            (answer,) = self.talk(data)
            self.assertFalse(answer["ok"], data)
            self.assertTrue(self.transport.disconnecting, data)

    def test_list(self) -> None:
        """PQ-2: an empty queue, and one that cannot be read."""
        self.assertEqual([{"ok": True}], self.talk(b'{"verb": "list"}\n'))

    def test_slow_client(self) -> None:
        """Who says nothing is cut off."""
        host = MemoryHost({}, "pickup", "pickup", queue=self.queue)
        connection = ControlConnection(host, Control(host, self.pickup), False)  # type: ignore[arg-type]
        transport: Any = StringTransport()
        aborted: list[bool] = []
        transport.abortConnection = lambda: aborted.append(True)
        connection.makeConnection(transport)
        host.clock.advance(60)
        self.assertEqual([True], aborted)


class TestPersonal(SynchronousTestCase):
    def test_written_once(self) -> None:
        """Files are made from conf/demo, and what the user changed stays."""
        from pytwfix.master.personal import folders, write

        home = os.path.abspath(self.mktemp())
        where = folders({"HOME": home}, 1000)
        self.assertEqual((f"{home}/.config/pytwfix", f"{home}/.local/state/pytwfix"), tuple(where))
        write(where, "ann")
        with open(f"{where.config}/main.cf") as file:
            text = file.read()
        self.assertIn(f"queue_directory = {where.state}/spool", text)
        self.assertNotIn("@", text.replace("@" + "example", "").partition("alias_maps")[0])
        with open(f"{where.config}/main.cf", "w") as file:
            file.write("mine")
        write(where, "ann")
        with open(f"{where.config}/main.cf") as file:
            self.assertEqual("mine", file.read())

    def test_root(self) -> None:
        """root's home is closed to others: its personal instance is elsewhere."""
        from pytwfix.master.personal import folders

        self.assertEqual("/var/lib/pytwfix/config", folders({"HOME": "/root"}, 0).config)
        self.assertEqual("/x/pytwfix", folders({"HOME": "/root", "XDG_STATE_HOME": "/x"}, 0).state)
