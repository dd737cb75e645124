"""What people write by mistake is warned of, never an exception of another kind than TableError."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.tables import TableError
from pytwfix.dialogs import socketmap, tcp_table
from pytwfix.tables.addresses import ACCESS, DEFAULT, TRANSPORT, address_keys
from pytwfix.tables.aliassource import alias_entries
from pytwfix.tables.messagequery import message_lines
from pytwfix.tables.results import split_addresses
from pytwfix.tables.textsource import entries, logical_lines
from tests.kit.tables import MemoryTables

QUICK = settings(max_examples=150, deadline=None)
TEXT = st.text(alphabet="if/!$(){}[]\\ab1ei \t\n|,*+?^.:\0é", max_size=60)
BYTES = st.binary(max_size=80) | TEXT.map(str.encode)


class AnyInputTests(SynchronousTestCase):
    @QUICK
    @given(st.lists(TEXT, max_size=4), st.sampled_from(("regexp", "pcre", "cidr")), BYTES)
    def test_rules(self, rules: list[str], kind: str, key: bytes) -> None:
        """RX-1, MT-4: any text is rules, faults and all."""
        tables = MemoryTables()
        try:
            table = tables.driver(f"{kind}:{{}}", 0)
        except TableError:  # the package is not installed
            return
        text = "\n".join(rules).encode()

        def lines() -> Iterator[tuple[int, bytes]]:
            return ((number, line.strip()) for number, line in logical_lines(text))

        table.load(lines())  # type: ignore[attr-defined]
        value = table.get(key)
        self.assertTrue(value is None or isinstance(value, bytes))

    @QUICK
    @given(TEXT, st.sampled_from(("inline", "static", "unionmap", "pipemap", "randmap", "cidr", "texthash")))
    def test_names(self, rest: str, kind: str) -> None:
        """MT-6: any name is a table or a TableError."""
        try:
            MemoryTables().driver(f"{kind}:{rest}").get(b"a")
        except (TableError, ValueError) as error:  # a NUL in a path is a ValueError of os.open
            self.assertTrue(isinstance(error, TableError) or "\0" in rest)

    @QUICK
    @given(BYTES)
    def test_sources(self, data: bytes) -> None:
        """PM-2, PM-3: any text has entries and warnings."""
        warnings: list[str] = []
        for found in (entries(data, "t", warnings.append), alias_entries(data, "t", warnings.append)):
            for number, key, value in found:
                self.assertGreater(number, 0)
                self.assertTrue(key and value)
        kinds = {kind for kind, _ in message_lines(data, True)}
        self.assertLessEqual(kinds, {"header", "mime", "body"})

    @QUICK
    @given(BYTES, st.sampled_from((DEFAULT, ACCESS, TRANSPORT)), st.booleans())
    def test_addresses(self, address: bytes, strategy: str, local: bool) -> None:
        """LK-3, CA-4: any bytes have keys; a value has addresses, none of them empty."""
        keys = list(address_keys(address, strategy, b"+-", True, local))
        self.assertFalse(keys[0][1])
        self.assertLess(len(keys), 200)
        self.assertTrue(all(split_addresses(address)))

    @QUICK
    @given(st.lists(st.binary(max_size=20), max_size=4))
    def test_servers(self, pieces: list[bytes]) -> None:
        """NP-1, NP-2: any reply is an answer, an error, or not complete."""
        reader = socketmap.ReplyReader()
        try:
            for piece in pieces:
                reply = reader.receive(piece)
                if reply is not None:
                    socketmap.answer(reply)
        except socketmap.SocketmapError:
            pass
        try:
            tcp_table.answer(b"".join(pieces))
        except tcp_table.TcpTableError:
            pass
