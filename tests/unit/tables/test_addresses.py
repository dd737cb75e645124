"""Lookup orders (LK-3 to LK-7, SD-35) and address mapping (CA-4)."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.tables import TableUnavailable
from pytwfix.tables.addresses import (
    ACCESS,
    TRANSPORT,
    Found,
    external_form,
    find_address,
    find_domain,
    find_network,
    map_address,
    map_to_list,
    split_extension,
)
from pytwfix.tables.maps import Maps
from pytwfix.tables.results import split_addresses
from tests.kit.tables import MemoryTables, SlowTable


class OrderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = MemoryTables()

    def asked(self, address: bytes, fixed: bool = True, **options: object) -> list[bytes]:
        """All keys of a search that finds nothing."""
        slow = self.tables.slow["t:t"] = SlowTable("t:t", {}, fixed)
        answer = find_address(Maps(self.tables, "t:t", "t"), address, delimiter=b"+", **options)  # type: ignore[arg-type]
        slow.fire()
        self.assertIsNone(self.successResultOf(answer))
        return slow.asked

    def test_default(self) -> None:
        """LK-4, LK-7: full, without the extension, @domain."""
        self.assertEqual(self.asked(b"u+x@d.example"), [b"u+x@d.example", b"u@d.example", b"@d.example"])

    def test_default_local(self) -> None:
        """LK-4: bare local parts where the domain is ours."""
        self.assertEqual(
            self.asked(b"u+x@d.example", local=lambda domain: domain == b"d.example"),
            [b"u+x@d.example", b"u@d.example", b"u+x", b"u", b"@d.example"],
        )

    def test_access(self) -> None:
        """LK-5, SD-35: full, without extension, domain and parents, localpart@."""
        self.assertEqual(
            self.asked(b"u+x@a.d.example", strategy=ACCESS, subdomains=True),
            [b"u+x@a.d.example", b"u@a.d.example", b"a.d.example", b"d.example", b"example", b"u+x@", b"u@"],
        )

    def test_transport(self) -> None:
        """LK-6, LK-8: .parents where parents do not match subdomains, then *."""
        self.assertEqual(
            self.asked(b"u@a.d.example", strategy=TRANSPORT),
            [b"u@a.d.example", b"a.d.example", b".d.example", b".example", b"*"],
        )

    def test_quoted_form_first(self) -> None:
        """LK-3: each key in external form, then in internal form; as seen in real Postfix's questions."""
        self.assertEqual(
            self.asked(b"q..r+z@to.example", strategy=ACCESS, subdomains=True),
            [b'"q..r+z"@to.example', b"q..r+z@to.example", b'"q..r"@to.example', b"q..r@to.example", b"to.example",
             b"example", b'"q..r+z"@', b"q..r+z@", b'"q..r"@', b"q..r@"],
        )
        self.assertEqual(self.asked(b"<>"), [b'"<>"', b"<>"])

    def test_pattern_tables_see_the_whole_key(self) -> None:
        """LK-2, SD-35: only the full address."""
        self.assertEqual(self.asked(b"u+x@a.d.example", fixed=False, strategy=ACCESS), [b"u+x@a.d.example"])

    def test_extension_is_told(self) -> None:
        maps = Maps(self.tables, "inline:{u@d=v, w+y@d=full}", "t")
        found = find_address(maps, b"u+x@d", delimiter=b"+-")
        self.assertEqual(self.successResultOf(found), Found(b"v", b"+x"))
        self.assertEqual(self.successResultOf(find_address(maps, b"w+y@d", delimiter=b"+")), Found(b"full", b""))

    def test_error(self) -> None:
        self.failureResultOf(find_address(Maps(self.tables, "fail:x", "t"), b"a@b"), TableUnavailable)

    def test_local_test_may_wait(self) -> None:
        answer: Deferred[bool] = Deferred()
        found = find_address(Maps(self.tables, "inline:{u=v}", "t"), b"u@here", local=lambda domain: answer)
        self.assertNoResult(found)
        answer.callback(True)
        self.assertEqual(self.successResultOf(found), Found(b"v", b""))

    def test_hosts(self) -> None:
        """SD-35: a name and its parents; an address and its networks; no parents of a numeric name."""
        maps = Maps(self.tables, "inline:{.d.example=p, 192.0.2=net, 2001:db8=six, .2.1=wrong}", "t")
        self.assertEqual(self.successResultOf(find_domain(maps, b"a.d.example")), b"p")
        self.assertIsNone(self.successResultOf(find_domain(maps, b"d.example")))
        self.assertEqual(self.successResultOf(find_network(maps, b"192.0.2.1")), b"net")
        self.assertEqual(self.successResultOf(find_network(maps, b"2001:db8:1::1")), b"six")
        self.assertIsNone(self.successResultOf(find_domain(maps, b"192.0.2.1")))


class FormTests(SynchronousTestCase):
    def test_external_form(self) -> None:
        self.assertEqual(external_form(b"a.b@c"), b"a.b@c")
        self.assertEqual(external_form(b'a b"@c'), b'"a b\\""@c')
        self.assertEqual(external_form(b""), b"")

    def test_extension(self) -> None:
        """AD-3: the first of the delimiters in the local part; some names have none."""
        self.assertEqual(split_extension(b"u-a+b", b"+-"), (b"u", b"-a+b"))
        self.assertEqual(split_extension(b"+b", b"+"), (b"+b", b""))
        self.assertEqual(split_extension(b"owner-list", b"-"), (b"owner-list", b""))
        self.assertEqual(split_extension(b"list-request", b"-"), (b"list-request", b""))
        self.assertEqual(split_extension(b"MAILER-DAEMON", b"-"), (b"MAILER-DAEMON", b""))

    def test_results(self) -> None:
        """CA-4: addresses in a value, in internal form; as real cleanup takes them."""
        for value, addresses in (
            (b"a@b", [b"a@b"]),
            (b"a@b, c,d", [b"a@b", b"c", b"d"]),
            (b'"a b"@c, Name <d@e> (note), f@[1.2.3.4]', [b"a b@c", b"d@e", b"f@[1.2.3.4]"]),
            (b"a b", [b"a", b"b"]),
            (b"a @ b , ,", [b"a@b"]),
            (b'"|cmd x"', [b"|cmd x"]),
            (b"m . n", [b"m.n"]),
            (b"group: o@p, q@r;", [b"o@p", b"q@r"]),
            (b"<s@t> <u@v>", [b"s@t", b"u@v"]),
            (b"a b <c@d>", [b"c@d"]),
            (b"a\\ b@w, x@[IPv6:::1]", [b"a b@w", b"x@[IPv6:::1]"]),
            (b", x@y z@w ,", [b"x@y", b"z@w"]),
        ):
            self.assertEqual(split_addresses(value), addresses)


class MappingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = MemoryTables()

    def mapped(self, table: str, address: bytes, propagate: bool = True) -> bytes:
        maps = Maps(self.tables, table, "canonical_maps")
        return self.successResultOf(
            Deferred.fromCoroutine(map_address(maps, address, delimiter=b"+", propagate=propagate))
        )

    def test_repeats(self) -> None:
        """CA-4: the result is mapped again; what maps to itself ends it."""
        self.assertEqual(self.mapped("inline:{a@d=b@d, b@d=c@d, c@d=c@d}", b"a@d"), b"c@d")
        self.assertEqual(self.mapped("inline:{a@d=b@d}", b"x@d"), b"x@d")

    def test_loop(self) -> None:
        """CA-4: ten steps, then the last result, and a warning."""
        self.assertIn(self.mapped("inline:{a@d=b@d, b@d=a@d}", b"a@d"), (b"a@d", b"b@d"))
        self.assertTrue(any("unreasonable canonical_maps map nesting" in line for line in self.tables.log.lines))

    def test_domain_result(self) -> None:
        """CA-4: @domain keeps the local part."""
        self.assertEqual(self.mapped("inline:{@d=@e}", b"u+x@d"), b"u+x@e")

    def test_extension(self) -> None:
        """CA-4: propagated only where asked."""
        self.assertEqual(self.mapped("inline:{a@d=b@e}", b"a+x@d"), b"b+x@e")
        self.assertEqual(self.mapped("inline:{a@d=b@e}", b"a+x@d", propagate=False), b"b@e")

    def test_two_addresses(self) -> None:
        """CA-4: of several results a 1:1 mapping takes the first, as 3.7 does."""
        maps = Maps(self.tables, "inline:{{a@d=b@e, c@e}}", "canonical_maps")
        self.assertEqual(b"b@e", self.successResultOf(Deferred.fromCoroutine(map_address(maps, b"a@d"))))

    def test_whole_domain(self) -> None:
        """CL-3: an entry for a domain stands for local parts with their extensions, which its result does not get."""
        maps = Maps(self.tables, "inline:{@d=all@e}", "virtual_alias_maps")
        results = map_to_list(maps, b"a+x@d", delimiter=b"+", propagate=True)
        self.assertEqual([b"all@e"], self.successResultOf(Deferred.fromCoroutine(results)))

    def test_one_step(self) -> None:
        """A generic mapping is not applied to its own result."""
        maps = Maps(self.tables, "inline:{a@d=b@d, b@d=c@d}", "smtp_generic_maps")
        self.assertEqual(b"b@d", self.successResultOf(Deferred.fromCoroutine(map_address(maps, b"a@d", steps=1))))
        self.assertEqual(b"c@d", self.successResultOf(Deferred.fromCoroutine(map_address(maps, b"a@d"))))

    def test_list(self) -> None:
        async def rewrite(address: bytes) -> bytes:
            return address if b"@" in address else address + b"@here"

        maps = Maps(self.tables, "inline:{{a@d=b, c@e}}", "virtual_alias_maps")
        results = map_to_list(maps, b"a+x@d", delimiter=b"+", propagate=True, rewrite=rewrite)
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(results)), [b"b+x@here", b"c+x@e"])
        self.assertIsNone(self.successResultOf(Deferred.fromCoroutine(map_to_list(maps, b"q@d"))))
