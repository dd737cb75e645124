"""Resolving: answers that a running Postfix gave to the same configuration."""

from __future__ import annotations

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.rewriting import (
    CLASS_ALIAS,
    CLASS_DEFAULT,
    CLASS_LOCAL,
    CLASS_MASK,
    CLASS_RELAY,
    CLASS_VIRTUAL,
    ERROR,
    FAILED,
    ROUTED,
    Resolved,
)
from pytwfix.contracts.tables import TableUnavailable
from pytwfix.rewrite.service import RewriteService
from tests.kit.host import MemoryHost

MAIN = {
    "compatibility_level": "3.6",
    "myhostname": "mx.lab.example",
    "mydomain": "lab.example",
    "myorigin": "lab.example",
    "mydestination": "lab.example, localhost, both.example",
    "inet_interfaces": "127.0.0.1",
    "proxy_interfaces": "192.0.2.99",
    "relay_domains": "relay.example, both.example",
    "virtual_alias_domains": "va.example",
    "virtual_mailbox_domains": "vm.example",
    "relayhost": "[relayhost.example]",
    "recipient_delimiter": "+",
}
TABLES = {
    "transport_maps": "inline:{ {t.example = smtp:[1.2.3.4]:25}, {.sub.example = foo:}, {nh@x.example = :nexthop},"
    " {err.example = error:}, {err2.example = error:5.7.9 gone}, {null.example = :}, {u@lab.example = smtp:},"
    " {tr.example = local}, {a@va.example = smtp:[9.9.9.9]} }",
    "relocated_maps": "inline:{ {moved@lab.example = new@place.example} }",
    "sender_dependent_relayhost_maps": "inline:{ {s@s.example = [srelay.example]:587}, {@d.example = DUNNO} }",
    "sender_dependent_default_transport_maps": "inline:{ {st@s.example = strans:snext}, {st2@s.example = strans:} }",
}


class Rewrite(SynchronousTestCase):
    def test_old_default(self) -> None:
        """V-3, V-4: when the old default of append_dot_mydomain makes the difference, that is logged."""
        text = "using backwards-compatible default setting append_dot_mydomain=yes to rewrite"
        text += ' "foo" to "foo.lab.example"'
        for main, lines in (
            ({"compatibility_level": "0"}, [text]),
            ({"compatibility_level": "0", "append_dot_mydomain": "yes"}, []),
            ({"compatibility_level": "1"}, []),
        ):
            host = MemoryHost({**MAIN, **main})
            service = RewriteService(host)
            for address in (b"user@foo", b"user@full.example", b"user"):
                self.successResultOf(service.rewrite("local", address))
            self.assertEqual(host.log.lines, lines)


class Resolve(SynchronousTestCase):
    def service(self, **main: str) -> RewriteService:
        self.host = MemoryHost({**MAIN, **main})
        return RewriteService(self.host)

    def ask(self, service: RewriteService, address: bytes, sender: bytes = b"", verify: bool = False) -> Resolved:
        return self.successResultOf(service.resolve(sender, address, verify))

    def test_classes(self) -> None:
        """TR-3, AD-1: the five classes, with and without tables."""
        for tables in ({}, TABLES):
            service = self.service(**tables)
            for address, wanted in {
                b"z@lab.example": Resolved("local", "mx.lab.example", b"z@lab.example", CLASS_LOCAL),
                b"Z@Lab.Example": Resolved("local", "mx.lab.example", b"Z@Lab.Example", CLASS_LOCAL),
                b"u@va.example": Resolved(
                    "error", "5.1.1 User unknown in virtual alias table", b"u@va.example", CLASS_ALIAS
                ),
                b"a@va.example": Resolved(
                    "error", "5.1.1 User unknown in virtual alias table", b"a@va.example", CLASS_ALIAS
                ),
                b"u@vm.example": Resolved("virtual", "vm.example", b"u@vm.example", CLASS_VIRTUAL),
                b"u@sub.relay.example": Resolved("relay", "[relayhost.example]", b"u@sub.relay.example", CLASS_RELAY),
                b"u@x.example": Resolved("smtp", "[relayhost.example]", b"u@x.example", CLASS_DEFAULT),
                b"u@both.example": Resolved("local", "mx.lab.example", b"u@both.example", CLASS_LOCAL),
            }.items():
                self.assertEqual(wanted, self.ask(service, address))
                self.assertEqual(wanted, self.ask(service, address))  # from the cache, where there is one

    def test_literals(self) -> None:
        """TR-3: our own addresses, and a proxy's, as literals are local."""
        service = self.service()
        self.assertEqual(CLASS_LOCAL, self.ask(service, b"u@[127.0.0.1]").flags)
        self.assertEqual(CLASS_LOCAL, self.ask(service, b"u@[192.0.2.99]").flags)
        self.assertEqual(CLASS_DEFAULT, self.ask(service, b"u@[1.2.3.4]").flags)
        self.assertTrue(self.ask(service, b"u@1.2.3.4").flags & ERROR)
        numeric = self.service(resolve_numeric_domain="yes", relayhost="")
        self.assertEqual(("[1.2.3.4]", b"u@[1.2.3.4]"), self.ask(numeric, b"u@1.2.3.4")[1:3])

    def test_stripped(self) -> None:
        """TR-3: what only says "here" is taken off."""
        service = self.service()
        for address, recipient in {
            b"u%o.example@lab.example": b"u@o.example",
            b"u@o.example@lab.example": b"u@o.example",
            b"o.example!u@lab.example": b"u@o.example",
            b"u%lab.example@lab.example": b"u@lab.example",
            b"u@x.example.": b"u@x.example",
            b"u@x@": b"u@x",
            b"u": b"u@mx.lab.example",
            b"": b"MAILER-DAEMON@mx.lab.example",
            b"@lab.example": b"MAILER-DAEMON@lab.example",
            b"%x@lab.example": b"@x",
        }.items():
            self.assertEqual(recipient, self.ask(service, address).recipient, address)

    def test_routed(self) -> None:
        """TR-6: @, % or ! left in the local part."""
        service = self.service()
        for address in (b"a!b@x.example", b"a%b@x.example", b"a@b@x.example"):
            self.assertEqual(CLASS_DEFAULT | ROUTED, self.ask(service, address).flags, address)
        quoted = self.service(resolve_dequoted_address="no")
        self.assertEqual(CLASS_LOCAL | ROUTED, self.ask(quoted, b"a@b@lab.example").flags)

    def test_bad_syntax(self) -> None:
        """TR-3, TR-5: no domain, a domain that is none, a leading minus sign."""
        service = self.service()
        for address in (b"u@", b"u@x..y", b"u@[bad", b"-u@x.example", b"-u"):
            answer = self.ask(service, address)
            self.assertTrue(answer.flags & ERROR, address)
            self.assertEqual(("error", "5.1.3 bad address syntax"), answer[:2])
        self.assertEqual(CLASS_DEFAULT, self.ask(self.service(allow_min_user="yes"), b"-u@x.example").flags)

    def test_transport_maps(self) -> None:
        """TR-4: what the value leaves out stays, but a transport alone goes to the recipient's domain."""
        service = self.service(**TABLES)
        for address, wanted in {
            b"u@t.example": ("smtp", "[1.2.3.4]:25"),
            b"u+ext@t.example": ("smtp", "[1.2.3.4]:25"),
            b"u@a.t.example": ("smtp", "[relayhost.example]"),
            b"u@a.sub.example": ("foo", "a.sub.example"),
            b"u@sub.example": ("smtp", "[relayhost.example]"),
            b"nh@x.example": ("smtp", "nexthop"),
            b"u@err.example": ("error", "Address is undeliverable"),
            b"u@err2.example": ("error", "5.7.9 gone"),
            b"u@null.example": ("smtp", "[relayhost.example]"),
            b"u@lab.example": ("smtp", "lab.example"),
            b"u@tr.example": ("local", "tr.example"),
        }.items():
            self.assertEqual(wanted, self.ask(service, address)[:2], address)

    def test_sender_dependent(self) -> None:
        """TR-3: sender_dependent_default_transport_maps and sender_dependent_relayhost_maps."""
        service = self.service(**TABLES)
        for sender, wanted in {
            b"s@s.example": ("smtp", "[srelay.example]:587"),
            b"s+e@s.example": ("smtp", "[srelay.example]:587"),
            b"k@d.example": ("smtp", "[relayhost.example]"),
            b"st@s.example": ("strans", "snext"),
            b"st2@s.example": ("strans", "[relayhost.example]"),
        }.items():
            self.assertEqual(wanted, self.ask(service, b"u@x.example", sender)[:2], sender)

    def test_sender_of_ours(self) -> None:
        """TR-3, LK-3: where the sender's domain is one of ours, the local part alone is a key too."""
        maps = "inline:{ {root = [r.example]}, {a+x = [ax.example]}, {@o.example = [o.example]} }"
        service = self.service(sender_dependent_relayhost_maps=maps, myorigin="o.example")
        for sender, wanted in {
            b"root@lab.example": "[r.example]",
            b"root+e@lab.example": "[r.example]",
            b"root@[127.0.0.1]": "[r.example]",
            b"root@O.example": "[r.example]",
            b"a+x@lab.example": "[ax.example]",
            b"a@lab.example": "[relayhost.example]",
            b"root@elsewhere.example": "[relayhost.example]",
            b"other@o.example": "[o.example]",
        }.items():
            self.assertEqual(wanted, self.ask(service, b"u@x.example", sender).nexthop, sender)

    def test_relocated(self) -> None:
        """TR-5: relocated_maps come last, and need not carry the prefix."""
        answer = self.ask(self.service(**TABLES), b"moved+x@lab.example")
        self.assertEqual(("error", "5.1.6 User has moved to new@place.example"), answer[:2])
        bare = self.service(
            relocated_maps="inline:{ {m@lab.example = 5.1.0 gone fishing} }", relocated_prefix_enable="no"
        )
        self.assertEqual("5.1.0 gone fishing", self.ask(bare, b"m@lab.example").nexthop)

    def test_two_classes(self) -> None:
        """TR-3: a domain in two classes is a mistake that the log tells of."""
        service = self.service(virtual_alias_domains="lab.example")
        self.assertEqual(CLASS_LOCAL, self.ask(service, b"u@lab.example").flags & CLASS_MASK)
        self.assertEqual(
            ["warning: do not list domain lab.example in BOTH mydestination and virtual_alias_domains"],
            self.host.log.lines,
        )

    def test_probes(self) -> None:
        """TR-1: address_verify_* stand in for the parameters of mail."""
        service = self.service(address_verify_relayhost="[probe.example]", address_verify_local_transport="lmtp:x")
        self.assertEqual("[probe.example]", self.ask(service, b"u@x.example", verify=True).nexthop)
        self.assertEqual(("lmtp", "x"), self.ask(service, b"u@lab.example", verify=True)[:2])
        self.assertEqual("[relayhost.example]", self.ask(service, b"u@x.example").nexthop)

    def test_failing_table(self) -> None:
        """A table that does not answer gives FAILED, not an error."""
        answer = self.ask(self.service(transport_maps="fail:x"), b"u@x.example")
        self.assertTrue(answer.flags & FAILED)
        self.assertEqual("retry", answer.transport)

    def test_slow_table(self) -> None:
        """A table that answers later, or not, is waited for."""
        service = self.service(transport_maps="slow:x")

        class Slow:
            name, fixed = "slow:x", True

            def lookup(self, key: bytes) -> object:
                return fail(TableUnavailable("slow:x", "down"))

        real = self.host.tables

        class Tables:
            def open(self, name: str, flags: int = 0) -> object:
                return Slow() if name == "slow:x" else real.open(name, flags)

        self.host.tables = Tables()
        self.assertTrue(self.ask(service, b"u@x.example").flags & FAILED)

    def test_contexts(self) -> None:
        """TR-1, OB-14: strangers' addresses are completed by remote_header_rewrite_domain or not at all."""
        service = self.service()
        for context, wanted in {"local": b"u@lab.example", "remote": b"u", "inval": b"u"}.items():
            self.assertEqual(wanted, self.successResultOf(service.rewrite(context, b"u")))
        remote = self.service(remote_header_rewrite_domain="domain.invalid")
        self.assertEqual(b"u@domain.invalid", self.successResultOf(remote.rewrite("remote", b"u")))
        for dot, wanted in (("no", b"u@h"), ("yes", b"u@h.domain.invalid")):  # as for our own
            remote = self.service(remote_header_rewrite_domain="domain.invalid", append_dot_mydomain=dot)
            self.assertEqual(wanted, self.successResultOf(remote.rewrite("remote", b"u@h")))
        remote = self.service(remote_header_rewrite_domain="domain.invalid", append_at_myorigin="no")
        self.assertEqual(b"u", self.successResultOf(remote.rewrite("remote", b"u")))

    def test_reload(self) -> None:
        """A new snapshot of settings counts from the next question on."""
        service = self.service()
        self.ask(service, b"u@x.example")
        self.host.snapshot = MemoryHost({**MAIN, "relayhost": "[other.example]"}).snapshot
        self.assertEqual("[other.example]", self.ask(service, b"u@x.example").nexthop)
