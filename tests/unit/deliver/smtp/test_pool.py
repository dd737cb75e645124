"""Sessions that are used again (SM-10)."""

from __future__ import annotations

from pytwfix.contracts.dns import MX, Address
from tests.kit.smtpcase import SmtpCase
from tests.kit.smtpnet import SmtpServer


class PoolTests(SmtpCase):
    def setUp(self) -> None:
        super().setUp()
        self.net.servers[("192.0.2.10", 25)] = SmtpServer

    def sessions(self) -> int:
        return len(self.net.asked)

    def test_second_mail(self) -> None:
        """SM-10, LG-10: the session is used again, which conn_use= says; no EHLO, no RSET, one write before content."""
        self.deliver()
        self.deliver()
        self.assertEqual(self.sessions(), 1)
        server = self.net.made[0]
        self.assertEqual(len(server.mails), 2)
        self.assertEqual(len(server.writes), 5)
        self.assertIn("relay=192.0.2.10[192.0.2.10]:25, conn_use=2", self.ends()[1])

    def test_lone_mail(self) -> None:
        """SM-10: where no more mail is to be expected a session ends at once."""
        self.busy = False
        self.deliver()
        self.assertEqual(self.net.made[0].commands[-1], b"QUIT")
        self.deliver()
        self.assertEqual(self.sessions(), 2)
        self.never_logged("conn_use=")

    def test_last_of_many(self) -> None:
        """SM-10: the last mail takes a session that is there, and ends it."""
        self.deliver()
        self.busy = False
        self.deliver()
        self.assertEqual((self.sessions(), self.net.made[0].commands[-1]), (1, b"QUIT"))
        self.assertIn("conn_use=2", self.ends()[1])

    def test_not_on_demand(self) -> None:
        """SM-10: smtp_connection_cache_on_demand = no."""
        self.begin(smtp_connection_cache_on_demand="no")
        self.deliver()
        self.assertEqual(self.net.made[0].commands[-1], b"QUIT")

    def test_named_destination(self) -> None:
        """SM-10: smtp_connection_cache_destinations, whatever the queue manager expects."""
        self.busy = False
        self.begin(smtp_connection_cache_destinations="192.0.2.10")
        self.deliver()
        self.deliver()
        self.assertEqual(self.sessions(), 1)

    def test_unusable_list(self) -> None:
        """SM-10, LK-13: a list that cannot be read costs a connection, not a mail."""
        self.busy = False
        self.begin(smtp_connection_cache_destinations="fail:x")
        self.assertEqual(self.deliver().deferred, [])
        self.assertEqual(self.net.made[0].commands[-1], b"QUIT")

    def test_idle_limit(self) -> None:
        """SM-10: after smtp_connection_cache_time_limit the session ends with QUIT."""
        self.deliver()
        self.wait(1.9)
        self.assertFalse(self.net.made[0].gone)
        self.wait(0.2)
        self.assertEqual(self.net.made[0].commands[-1], b"QUIT")
        self.assertTrue(self.net.made[0].gone)
        self.deliver()
        self.assertEqual(self.sessions(), 2)

    def test_idle_limit_counts_from_last_use(self) -> None:
        self.deliver()
        self.wait(1.5)
        self.deliver()
        self.wait(1.5)
        self.deliver()
        self.assertEqual(self.sessions(), 1)

    def test_closed_while_idle(self) -> None:
        """SM-10: a server may hang up at any time, or say that it will."""
        self.deliver()
        self.net.made[0].hang_up()
        self.net.settle()
        self.deliver()
        self.net.made[1].transport.write(b"421 4.4.2 idle\r\n")
        self.net.settle()
        self.assertTrue(self.net.made[1].gone)
        self.deliver()
        self.assertEqual((self.sessions(), [line for line in self.log if "lost" in line]), (3, []))

    def test_closed_at_mail(self) -> None:
        """SM-10: the server had gone when MAIL came: a new session, and nothing is deferred."""
        self.deliver()
        self.net.made[0].rules({"MAIL": self.net.made[0].hang_up})
        result = self.deliver()
        self.assertEqual((result.deferred, self.sessions()), ([], 2))
        self.assertIn("status=sent", self.ends()[1])
        self.net.made[1].rules({"MAIL": b"421 4.4.2 idle\r\n"})
        self.assertEqual((self.deliver().deferred, self.sessions()), ([], 3))
        self.never_logged("lost connection")

    def test_reset(self) -> None:
        """SM-10: a mail that came to nothing is reset before the next one."""
        self.deliver()
        self.net.made[0].rules({"RCPT": b"550 no\r\n", "DATA": b"554 no\r\n"})
        self.deliver()
        self.net.made[0].rules({"RCPT": b"250 ok\r\n", "DATA": b"354 go\r\n"})
        self.deliver()
        self.assertEqual(self.sessions(), 1)
        self.assertEqual(self.net.made[0].commands[-4], b"RSET")

    def test_count_limit(self) -> None:
        """SM-10: smtp_connection_reuse_count_limit."""
        self.begin(smtp_connection_reuse_count_limit="2")
        for _ in range(3):
            self.deliver()
        self.assertEqual(self.sessions(), 2)

    def test_time_limit(self) -> None:
        """SM-10: smtp_connection_reuse_time_limit."""
        self.begin(smtp_connection_reuse_time_limit="3s")
        for _ in range(4):
            self.deliver()
            self.wait(1.5)
        self.assertEqual(self.sessions(), 2)

    def test_off(self) -> None:
        """SM-10: no cache; QUIT follows the mail, whose answer is not waited for."""
        self.begin(smtp_connection_cache_on_demand="no")
        self.deliver()
        self.assertTrue(self.net.made[0].gone)
        self.assertEqual(self.net.made[0].commands[-1], b"QUIT")

    def test_quit_response(self) -> None:
        """SM-19: smtp_skip_quit_response = no waits for it, for a while."""
        self.begin(smtp_connection_cache_on_demand="no", smtp_skip_quit_response="no", smtp_quit_timeout="5s")
        self.net.servers[("192.0.2.10", 25)] = lambda: SmtpServer(QUIT=None)
        self.deliver()
        self.assertFalse(self.net.made[0].gone)
        self.wait(6)
        self.assertTrue(self.net.made[0].gone)
        self.net.servers[("192.0.2.10", 25)] = SmtpServer
        self.deliver()
        self.assertTrue(self.net.made[1].gone)

    def test_destinations(self) -> None:
        """SM-10: smtp_connection_cache_destinations."""
        self.begin(smtp_connection_cache_on_demand="no", smtp_connection_cache_destinations="[192.0.2.10], x.example")
        self.deliver()
        self.deliver()
        self.assertEqual(self.sessions(), 1)

    def test_by_server(self) -> None:
        """SM-10: another destination with the same server uses the session too."""
        for name in ("one.example", "two.example"):
            self.host.resolver.zone[(name, "MX")] = [MX(10, "mx.dest.example")]
        self.host.resolver.zone[("mx.dest.example", "A")] = [Address(2, "192.0.2.10")]
        self.deliver(nexthop="one.example")
        self.deliver(nexthop="two.example")
        self.assertEqual(self.sessions(), 1)

    def test_two_at_once(self) -> None:
        """SM-10: a session that is in use is nobody else's."""
        first, second = self.start(), self.start()
        self.net.settle()
        self.successResultOf(first)
        self.successResultOf(second)
        self.assertEqual(self.sessions(), 2)

    def test_stop(self) -> None:
        """The service ends: idle sessions say QUIT."""
        self.deliver()
        self.agent.stopService()
        self.net.settle()
        self.assertEqual(self.net.made[0].commands[-1], b"QUIT")
        self.assertTrue(self.net.made[0].gone)

    def test_reload(self) -> None:
        """New settings: sessions of the old ones are not used any more."""
        self.deliver()
        from pytwfix.settings.snapshot import Snapshot

        self.host.snapshot = Snapshot({"myhostname": "other.example", "inet_interfaces": "127.0.0.1"})
        self.deliver()
        self.assertEqual(self.net.made[1].commands[0], b"EHLO other.example")
