"""How main.cf names filters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.net.milter.filters import Filter, FilterError, parse_filters
from pytwfix.settings.milter import MilterSettings
from tests.kit.host import MemoryHost


def parsed(text: str, **main: str) -> list[Filter]:
    return parse_filters(text, MemoryHost(main).settings(MilterSettings))


class Lists(SynchronousTestCase):
    """MI-1."""

    def test_endpoints(self) -> None:
        found = parsed("inet:localhost:8891, unix:private/x inet:[::1]:25,local:/run/y")
        self.assertEqual(
            [("inet", "localhost", "8891"), ("unix", "private/x", ""), ("inet", "::1", "25"), ("unix", "/run/y", "")],
            [(one.kind, one.host, one.port) for one in found],
        )
        self.assertEqual("inet:localhost:8891", found[0].name)

    def test_defaults(self) -> None:
        """MI-1, MI-4: time limits, version 6, shutdown."""
        (one,) = parsed("unix:x")
        self.assertEqual((30, 30, 300), (one.connect_timeout, one.command_timeout, one.content_timeout))
        self.assertEqual((6, "shutdown"), (one.protocol.version, one.default_action))

    def test_settings_of_one(self) -> None:
        both = parsed(
            "{ inet:h:1, connect_timeout = 5s, command_timeout=1m, content_timeout = 2m, "
            "default_action = accept, { protocol = 3 no_header_reply } } unix:x",
            milter_default_action="tempfail",
        )
        one, other = both
        self.assertEqual((5, 60, 120), (one.connect_timeout, one.command_timeout, one.content_timeout))
        self.assertEqual((3, "accept"), (one.protocol.version, one.default_action))
        self.assertEqual("tempfail", other.default_action)

    def test_nonsense(self) -> None:
        for text, why in (
            ("localhost", 'Milter service needs transport:endpoint instead of "localhost"'),
            ("inet:localhost", "needs transport:endpoint"),
            ("tcp:localhost:1", "invalid transport name: tcp in Milter service: tcp:localhost:1"),
            ("{ }", 'empty milter definition: "{ }"'),
            ("{ inet:h:1, color = red }", 'syntax error: "color=red" in definition of inet:h:1'),
            ("{ inet:h:1, default_action = maybe }", "unrecognized default action: maybe"),
            ("{ inet:h:1, protocol = 5 }", "bad protocol information: 5"),
            ("{ inet:h:1", "missing '}'"),
        ):
            with self.assertRaises(FilterError) as caught:
                parsed(text)
            self.assertIn(why, str(caught.exception))
