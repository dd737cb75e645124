"""The form of addresses: answers that a running Postfix gave."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.rewrite.rewrite import Form, complete

LOCAL = Form(b"lab.example", b"", True, True)
DOTTING = Form(b"lab.example", b"dom.example", True, True)
NEITHER = Form(b"", b"", False, False)


class Complete(SynchronousTestCase):
    def check(self, form: Form, cases: dict[bytes, bytes]) -> None:
        for address, wanted in cases.items():
            self.assertEqual(wanted, complete(form, address), address)

    def test_order(self) -> None:
        """TR-2: source route, bang path, percent hack, origin, in this order."""
        self.check(
            LOCAL,
            {
                b"": b"",
                b"@": b"@",
                b"user": b"user@lab.example",
                b"@a,@b:u@c": b"u@c",
                b"@a:u": b"u@lab.example",
                b"a!b": b"b@a",
                b"a!b!c": b"b!c@a",
                b"a%b": b"a@b",
                b"a%b%c": b"a%b@c",
                b"a!b%c": b"b%c@a",
                b"a!b@c": b"a!b@c",
                b"a@b@c": b"a@b@c",
                b"!x": b"x@",
                b"x!": b"@x",
                b"x%": b"x@",
            },
        )

    def test_dots(self) -> None:
        """TR-2: one trailing dot goes, of a domain only."""
        self.check(
            LOCAL,
            {
                b"u@host": b"u@host",
                b"u@host.dom.": b"u@host.dom",
                b"u@host..": b"u@host..",
                b"u@.": b"u@.",
                b"x.": b"x.@lab.example",
                b"u@[1.2.3.4].": b"u@[1.2.3.4]",
            },
        )

    def test_dotless_domain(self) -> None:
        """TR-2: append_dot_mydomain completes names, not literals."""
        self.check(DOTTING, {b"u@host": b"u@host.dom.example", b"u@[::1]": b"u@[::1]", b"u@": b"u@"})

    def test_nothing_asked_for(self) -> None:
        """TR-2: without origin, swap_bangpath and allow_percent_hack an address stays."""
        self.check(NEITHER, {b"u": b"u", b"a!b": b"a!b", b"a%b": b"a%b"})
