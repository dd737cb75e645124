"""pytwfix.ipc.proxies and servers: contracts over a channel."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.delivery import DeliveryRequest, DeliveryResult
from pytwfix.contracts.reports import BOUNCE, Report
from pytwfix.contracts.verification import Verified
from pytwfix.ipc import methods, proxies, servers
from pytwfix.ipc.failures import Gone
from pytwfix.ipc.link import Link
from pytwfix.mail.envelope import Envelope, Recipient
from pytwfix.mail.errors import MailError
from pytwfix.mail.reply import Reply
from pytwfix.mail.status import Dsn
from tests.kit.channels import Pair

ENVELOPE = Envelope(queue_id="4XyZ", sender=b"s@x", recipients=[Recipient(b"r@x", offset=5)])
REPORT = Report(Recipient(b"r@x"), Dsn("5.1.1", "unknown"), "local", 4.0)


class Recorder:
    """Any contract: keeps what it was asked, answers what a test has put in."""

    def __init__(self, **answers: Any) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.answers = answers

    def __getattr__(self, name: str) -> Any:
        def asked(*arguments: Any) -> Any:
            self.calls.append((name, *arguments))
            return self.answers.get(name, succeed(None))

        return asked


class ProxyCase(SynchronousTestCase):
    def joined(self, served: dict[int, Any]) -> tuple[Pair, Link]:
        pair = Pair(served)
        link = Link("queue")
        link.attach(pair.near)
        return pair, link

    def answer(self, pair: Pair, asked: Deferred[Any]) -> Any:
        pair.pump()
        return self.successResultOf(asked)


class Queue(ProxyCase):
    """QM-7, PQ-1: IQueue in another process."""

    def test_calls(self) -> None:
        real = Recorder(deliver_now=succeed(True), wake=None, forget=None)
        woken: list[str] = []
        pair, link = self.joined(servers.queue(real, woken.append))  # type: ignore[arg-type]
        proxy = proxies.QueueProxy(link)
        proxy.wake("4XyZ", ENVELOPE)
        proxy.wake("4Xya")
        proxy.forget(iter(["a", "b"]))
        self.assertTrue(self.answer(pair, proxy.deliver_now("4XyZ")))
        self.answer(pair, proxy.flush())
        self.answer(pair, proxy.flush(["x.example"]))
        self.assertEqual(
            real.calls,
            [
                ("wake", "4XyZ", ENVELOPE), ("wake", "4Xya", None), ("forget", ["a", "b"]), ("deliver_now", "4XyZ"),
                ("flush", None), ("flush", ["x.example"]),
            ],
        )  # fmt: skip
        self.assertEqual(woken, ["4XyZ", "4Xya"])

    def test_nothing_goes_to_active_directly(self) -> None:
        """The manager is elsewhere: it has to be told."""
        proxy = proxies.QueueProxy(Link("queue"))
        self.assertFalse(proxy.admits())
        self.assertRaises(RuntimeError, proxy.wake_active, None, ENVELOPE)

    def test_pressed(self) -> None:
        """CL-14: asked now and then; while there is pressure, with each mail."""
        real = Recorder(wake=None, pressed=True)
        pair, link = self.joined(servers.queue(real))  # type: ignore[arg-type]
        proxy = proxies.QueueProxy(link)
        for number in range(50):
            self.assertFalse(proxy.pressed(), number)
            proxy.wake("4XyZ")
        pair.pump()
        self.assertTrue(proxy.pressed())
        real.answers["pressed"] = False
        proxy.wake("4XyZ")
        pair.pump()
        self.assertFalse(proxy.pressed())
        self.assertEqual(2, sum(call[0] == "pressed" for call in real.calls))

    def test_wrong_arguments(self) -> None:
        """They are refused before the real object sees them."""
        real = Recorder()
        pair, link = self.joined(servers.queue(real))  # type: ignore[arg-type]
        for asked in (
            link.call(methods.DELIVER_NOW, 7),
            link.call(methods.DELIVER_NOW),
            link.call(methods.FLUSH, (1, 2)),
            link.call(methods.WAKE, "x", "y"),
        ):
            pair.pump()
            self.failureResultOf(asked, ValueError)
        self.assertEqual(real.calls, [])


class Reports(ProxyCase):
    """BO-1, ST-3: IReports in another process."""

    def test_calls(self) -> None:
        real = Recorder(read=succeed([REPORT]))
        pair, link = self.joined(servers.reports(real))  # type: ignore[arg-type]
        proxy = proxies.ReportsProxy(link)
        self.answer(pair, proxy.record(BOUNCE, "4XyZ", REPORT))
        self.assertEqual(self.answer(pair, proxy.read(BOUNCE, "4XyZ")), [REPORT])
        self.answer(pair, proxy.forget(BOUNCE, "4XyZ"))
        self.answer(pair, proxy.notify_bounce(ENVELOPE))
        self.answer(pair, proxy.notify_delay(ENVELOPE))
        self.answer(pair, proxy.notify_trace(ENVELOPE))
        self.answer(pair, proxy.bounce_one(ENVELOPE, REPORT))
        self.assertEqual(
            real.calls,
            [
                ("record", BOUNCE, "4XyZ", REPORT), ("read", BOUNCE, "4XyZ"), ("forget", BOUNCE, "4XyZ"),
                ("notify_bounce", ENVELOPE), ("notify_delay", ENVELOPE), ("notify_trace", ENVELOPE),
                ("bounce_one", ENVELOPE, REPORT),
            ],
        )  # fmt: skip

    def test_not_recorded(self) -> None:
        """ST-3: a failure arrives, so that the recipient stays in the queue."""
        real = Recorder(record=fail(MailError(Reply(451, "4.3.0", "no space"))))
        pair, link = self.joined(servers.reports(real))  # type: ignore[arg-type]
        asked = proxies.ReportsProxy(link).record(BOUNCE, "4XyZ", REPORT)
        pair.pump()
        self.failureResultOf(asked, MailError)


class Verifier(ProxyCase):
    """VE-1: IVerifier in another process."""

    def test_calls(self) -> None:
        real = Recorder(query=succeed(Verified(3, "")))
        pair, link = self.joined(servers.verifier(real))  # type: ignore[arg-type]
        proxy = proxies.VerifierProxy(link)
        self.assertEqual(self.answer(pair, proxy.query(b"a@x")), Verified(3, ""))
        self.answer(pair, proxy.update(b"a@x", 0, "ok"))
        self.assertEqual(real.calls, [("query", b"a@x"), ("update", b"a@x", 0, "ok")])


class Counters(ProxyCase):
    """AN-1: ICounters in another process."""

    def test_calls(self) -> None:
        real = Recorder(connect=succeed((1, 2)), event=succeed(3), peek=succeed(4), disconnect=None)
        pair, link = self.joined(servers.Counted(real).handlers())  # type: ignore[arg-type]
        proxy = proxies.CountersProxy(link)
        self.assertEqual(self.answer(pair, proxy.connect("smtp", "1.2.3.4")), (1, 2))
        self.assertEqual(self.answer(pair, proxy.event("smtp", "1.2.3.4", "message")), 3)
        self.assertEqual(self.answer(pair, proxy.peek("smtp", "1.2.3.4", "auth")), 4)
        proxy.disconnect("smtp", "1.2.3.4")
        pair.pump()
        self.assertEqual(real.calls[-1], ("disconnect", "smtp", "1.2.3.4"))

    def test_a_dead_process_has_no_connections(self) -> None:
        """HOUSE 3: when a worker dies the queue takes back its counts, each once."""
        real = Recorder(connect=succeed((1, 1)), disconnect=None)
        counted = servers.Counted(real)  # type: ignore[arg-type]
        pair, link = self.joined(counted.handlers())
        proxy = proxies.CountersProxy(link)
        for client in ("a", "a", "b", "c"):
            self.answer(pair, proxy.connect("smtp", client))
        proxy.disconnect("smtp", "a")
        proxy.disconnect("smtp", "b")
        proxy.disconnect("smtp", "unheard-of")
        pair.pump()
        real.calls.clear()
        counted.release()
        counted.release()
        self.assertEqual(sorted(real.calls), [("disconnect", "smtp", "a"), ("disconnect", "smtp", "c")])

    def test_nobody_counts(self) -> None:
        """While anvil is away clients are not limited."""
        proxy = proxies.CountersProxy(Link("queue"))
        self.assertEqual(self.successResultOf(proxy.connect("smtp", "a")), (0, 0))
        self.assertEqual(self.successResultOf(proxy.event("smtp", "a", "auth")), 0)
        self.assertEqual(self.successResultOf(proxy.peek("smtp", "a", "auth")), 0)


class Others(ProxyCase):
    """ITlsSessions and IFlusher in another process."""

    def test_tls_sessions(self) -> None:
        """TM-1; without the process there is no session to use again."""
        real = Recorder(lookup=succeed(b"session"), update=None, delete=None)
        pair, link = self.joined(servers.tls_sessions(real))  # type: ignore[arg-type]
        proxy = proxies.TlsSessionsProxy(link)
        self.assertEqual(self.answer(pair, proxy.lookup("smtp", "key")), b"session")
        proxy.update("smtp", "key", b"new")
        proxy.delete("smtp", "key")
        pair.pump()
        self.assertEqual(real.calls[1:], [("update", "smtp", "key", b"new"), ("delete", "smtp", "key")])
        self.assertIsNone(self.successResultOf(proxies.TlsSessionsProxy(Link("queue")).lookup("smtp", "key")))

    def test_flusher(self) -> None:
        """FL-1."""
        real = Recorder(add=None, take=succeed(["4XyZ"]))
        pair, link = self.joined(servers.flusher(real))  # type: ignore[arg-type]
        proxy = proxies.FlusherProxy(link)
        proxy.add("x.example", "4XyZ")
        self.assertEqual(self.answer(pair, proxy.take("x.example")), ["4XyZ"])
        self.assertEqual(real.calls, [("add", "x.example", "4XyZ"), ("take", "x.example")])


class Agents(ProxyCase):
    """QM-7: a delivery in another process."""

    def test_delivered(self) -> None:
        seen: list[DeliveryRequest] = []

        class Agent:
            def deliver(self, request: DeliveryRequest) -> Deferred[DeliveryResult]:
                seen.append(request)
                return succeed(DeliveryResult(request.recipients[1:]))

        class All:
            def agent(self, transport: str) -> Agent | None:
                return Agent() if transport == "local" else None

        pair, link = self.joined(servers.agents(All()))  # type: ignore[arg-type]
        proxy = proxies.AgentProxy(link, 100)
        recipients = [Recipient(b"a"), Recipient(b"b")]
        asked = proxy.deliver(DeliveryRequest("active", "4XyZ", "local", "x", ENVELOPE, recipients))
        result = self.answer(pair, asked)
        self.assertEqual(seen[0].queue_id, "4XyZ")
        self.assertIs(result.deferred[0], recipients[1])
        self.assertTrue(recipients[0].done)
        asked = proxy.deliver(DeliveryRequest("active", "4XyZ", "uucp", "x", ENVELOPE, recipients))
        pair.pump()
        self.failureResultOf(asked, ValueError)

    def test_dead(self) -> None:
        """The process dies with the request."""
        pair, link = self.joined({methods.DELIVER: lambda _packed: Deferred()})
        asked = proxies.AgentProxy(link, 100).deliver(DeliveryRequest("active", "4XyZ", "local", "x", ENVELOPE, []))
        pair.pump()
        pair.lose()
        self.failureResultOf(asked, Gone)
