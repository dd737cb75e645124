"""Small types (MT-6), aliases' text (PM-2), messages (PM-1), SQL and servers (MT-7, MT-8, NP-1, NP-2)."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.contracts.tables import TableError, TableMisconfigured, TableUnavailable
from pytwfix.tables.aliassource import alias_entries
from pytwfix.tables.expansion import BadTemplate, Template
from pytwfix.tables.messagequery import BODY, HEADER, MIME_HEADER, message_lines
from pytwfix.tables.serverpool import host_port
from tests.kit.tables import MemoryTables, replace_file


class SmallTypesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = MemoryTables()

    def get(self, name: str, key: bytes) -> bytes | None:
        return self.tables.driver(name).get(key)

    def test_types(self) -> None:
        """MT-6: static, inline, pipemap, unionmap, randmap, environ."""
        for name, key, value in (
            ("static:{ two words }", b"", b"two words"),
            ("inline:{a=b, {c = d e}}", b"C", b"d e"),
            ("pipemap:{inline:{a=b}, inline:{b=c}}", b"a", b"c"),
            ("pipemap:{inline:{a=b}, inline:{x=c}}", b"a", None),
            ("unionmap:{static:1, inline:{a=2}, inline:{b=3}}", b"a", b"1,2"),
            ("unionmap:{inline:{b=3}}", b"a", None),
            ("randmap:{only}", b"a", b"only"),
            ("texthash:{{a b c}, {D e}}", b"A", b"b c"),
            ("texthash:{{a b c}, {D e}}", b"d", b"e"),
            ("environ:", b"a", None),
        ):
            if name != "environ:":
                self.assertEqual(self.get(name, key), value, name)
        self.patch(os, "environb", {b"here": b"yes"})
        self.assertEqual(self.get("environ:x", b"HERE"), b"yes")

    def test_randmap_uses_all(self) -> None:
        table = self.tables.driver("randmap:{a, b}")
        self.assertEqual({table.get(b"x") for _ in range(50)}, {b"a", b"b"})

    def test_bad_syntax(self) -> None:
        """MT-6: with the form that is wanted."""
        for name, reason in (
            ("inline:a=b", 'bad syntax: "inline:a=b"; need "inline:{name=value...}"'),
            ("inline:{a}", "missing '=' after attribute name: \"inline:{a}\"; need \"inline:{name=value...}\""),
            ("unionmap:{x}", 'bad syntax: "unionmap:{x}"; need "unionmap:{type:name...}"'),
            ("randmap:{}", 'bad syntax: "randmap:{}"; need "randmap:{value...}"'),
            ("static:{a", "bad static:name syntax: missing '}' in \"{a\""),
            ("unix:x", "unknown table: unix:x"),
        ):
            failure = self.assertRaises(TableMisconfigured, self.tables.driver, name)
            self.assertEqual(failure.reason, reason)

    def test_composed_of_composed(self) -> None:
        """LK-2: fixed, pattern and blocking are inherited."""
        self.assertTrue(self.tables.driver("unionmap:{static:a, inline:{b=c}}").fixed)
        self.assertFalse(self.tables.driver("pipemap:{static:a, randmap:{b}}").fixed)
        self.assertTrue(self.tables.driver("pipemap:{static:a, unix:passwd.byname}").blocking)
        self.assertRaises(TableError, self.get, "unionmap:{static:a, fail:b}", b"k")

    def test_first_of_a_union_folds(self) -> None:
        """MT-6, LK-2: whether a pattern sees the key in small letters is for the first table to say, as in 3.7."""
        inline, pcre, pattern = "inline:{foobar=I}", "regexp:{{/^(.*)$/ P:$1}}", "randmap:{x}"
        for members, value in (
            ((inline, pcre), b"I,P:foobar"),
            ((pcre, inline, pcre), b"P:FooBar,I,P:FooBar"),
            ((pattern, pcre), b"x,P:FooBar"),
            (("static:s", pcre), b"s,P:foobar"),
            ((f"unionmap:{{{inline}, {pcre}}}", pcre), b"I,P:foobar,P:foobar"),
            ((f"unionmap:{{{pcre}, {inline}}}", pcre), b"P:FooBar,I,P:FooBar"),
            ((f"pipemap:{{{inline}, {pattern}}}", pcre), b"x,P:foobar"),
            ((f"pipemap:{{{pcre}, inline:{{p:foobar=I}}}}", pcre), b"I,P:FooBar"),
        ):
            union = f"unionmap:{{{', '.join(members)}}}"
            self.assertEqual(self.get(union, b"FooBar"), value, union)

    def test_texthash_keys_that_differ_in_case(self) -> None:
        """MT-5: one key, as in 3.7, and the first value stays."""
        table = self.tables.driver("texthash:{{foo T1}, {FOO T2}}")
        self.assertEqual(table.get(b"Foo"), b"T1")

    def test_unix(self) -> None:
        """MT-6: users and groups of the system."""
        self.assertTrue((self.get("unix:passwd.byname", b"root") or b"").startswith(b"root:"))
        self.assertTrue((self.get("unix:group.byname", b"root") or b"").startswith(b"root:"))
        self.assertIsNone(self.get("unix:passwd.byname", b"no such user"))


class AliasSourceTests(SynchronousTestCase):
    """PM-2: as real postalias stores it."""

    def test_values(self) -> None:
        for text, value in (
            (b"b, \"x y\"@z, :include:/x, \"|cmd a b\", <e@f>, g (c)",
             b'b, "x y"@z, :include:/x, "|cmd a b", <e@f>, g (c)'),
            (b"b   ,   c", b"b, c"), (b"b; c", b"b;c"), (b"b\\c", b"bc"), (b"a\\ b", b'"a b"'), (b'"b', b'"b"'),
            (b"m(n)o", b"m (n) o"), (b"A <b> c", b"A <b>c"), (b"<a> <b>", b"<a> <b>"), (b"a . b", b"a.b"),
            (b'x"y"z', b'x "y" z'), (b"w@[1.2.3.4]", b"w@[1.2.3.4]"), (b"a,,b", b"a, , b"),
        ):
            found = [entry[2] for entry in alias_entries(b"k: " + text + b"\n", "t", self.fail)]
            self.assertEqual(found, [value])

    def test_names(self) -> None:
        """LO-2, PM-2: a name is stored in external form."""
        for text, name in ((b"a", b"a"), (b'"a"', b"a"), (b'"a b"', b'"a b"'), (b"a.b", b"a.b"), (b"a ", b"a")):
            self.assertEqual([entry[1] for entry in alias_entries(text + b": c\n", "t", self.fail)], [name])

    def test_faults(self) -> None:
        warnings: list[str] = []
        text = b"a b\na: \na, b: c\na@b: c\n: d\n\"x: y\n\xe9: z\ne: f\n"
        self.assertEqual([entry[1] for entry in alias_entries(text, "t", warnings.append)], [b"e"])
        self.assertEqual([line.partition(": ")[2] for line in warnings], [
            "need name:value pair", "need name:value pair", "need name:value pair", "name must be local",
            "need name:value pair", "need name:value pair", 'non-UTF-8 input "?: z" -- ignoring this line',
        ])


class MessageTests(SynchronousTestCase):
    """PM-1: -h, -b and -m."""

    message = (
        b"A: 1\nB: 2\n more\nContent-Type: multipart/mixed; boundary=\"X\"\n\npre\n--X\nC: 3\n\nbody\n--X\n"
        b"Content-Type: message/rfc822\n\nD: 4\n\ninner\n--X--\nepilogue\n"
    )

    def test_plain(self) -> None:
        lines = list(message_lines(self.message, False))
        self.assertEqual([text for kind, text in lines if kind == HEADER][1], b"B: 2\n more")
        self.assertEqual([text for kind, text in lines if kind == BODY][:4], [b"", b"pre", b"--X", b"C: 3"])

    def test_mime(self) -> None:
        lines = list(message_lines(self.message, True))
        self.assertEqual([text for kind, text in lines if kind == MIME_HEADER],
                         [b"C: 3", b"Content-Type: message/rfc822", b"D: 4"])
        self.assertEqual([text for kind, text in lines if kind == BODY], [
            b"", b"pre", b"--X", b"", b"body", b"--X", b"", b"", b"inner", b"--X--", b"epilogue"])


class TemplateTests(SynchronousTestCase):
    """MT-8: macros."""

    def test_query(self) -> None:
        for text, key, query in (
            ("x='%s'", b"a@b.c", b"x='a@b.c'"), ("%u|%d", b"a@b.c", b"a|b.c"), ("%2.%1", b"u@a.b.c", b"b.c"),
            ("%3", b"u@b.c", None), ("%d", b"a", None), ("%u", b"@a", None), ("%u", b"a", b"a"),
            ("100%%", b"k", b"100%"),
        ):
            self.assertEqual(Template(text).query(key, lambda part: part), query, text)
        self.assertEqual(Template("%s").query(b"o'x", lambda part: part.replace(b"'", b"''")), b"o''x")

    def test_result(self) -> None:
        self.assertEqual(Template("%U/%D/%u/%d/%1").result(b"k@d.e", b"v@w.x"), b"k/d.e/v/w.x/e")

    def test_kind(self) -> None:
        """LK-2: parts of keys make it a pattern table."""
        self.assertFalse(Template("%s %S").partial)
        self.assertTrue(Template("%u").partial)
        self.assertRaises(BadTemplate, Template, "%x")


class SqliteTests(SynchronousTestCase):
    """MT-8, MT-10."""

    def setUp(self) -> None:
        self.tables = MemoryTables()
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)
        database = sqlite3.connect(self.directory + "/db")
        database.executescript("create table a(k text, v text); insert into a values ('x@d','1'), ('x@d','2'), "
                               "('o''h@d','3'), ('n@d',null)")
        database.close()

    def table(self, text: str) -> str:
        replace_file(self.directory + "/cf", f"dbpath = {self.directory}/db\n{text}\n".encode())
        return f"sqlite:{self.directory}/cf"

    def test_lookups(self) -> None:
        table = self.tables.driver(self.table("query = SELECT v FROM a WHERE k='%s' ORDER BY v"))
        self.assertEqual([table.get(key) for key in (b"X@d", b"o'h@d", b"n@d", b"none", b"' or 1=1 --", b"")],
                         [b"1,2", b"3", None, None, None, None])
        self.assertTrue(table.blocking)
        table.close()

    def test_format_domain_and_limit(self) -> None:
        query = "query = SELECT v FROM a WHERE k='%s' ORDER BY v\n"
        self.assertEqual(self.tables.driver(self.table(query + "result_format = <%s>")).get(b"x@d"), b"<1>,<2>")
        self.assertIsNone(self.tables.driver(self.table(query + "domain = e")).get(b"x@d"))
        self.assertEqual(self.tables.driver(self.table(query + "domain = D, e")).get(b"x@d"), b"1,2")
        limited = self.tables.driver(self.table(query + "expansion_limit = 1"))
        self.assertRaises(TableUnavailable, limited.get, b"x@d")

    def test_legacy_and_main_cf(self) -> None:
        """MT-14: settings in main.cf, by the table's name."""
        self.tables.main.update({"mydb_dbpath": self.directory + "/db", "mydb_table": "a", "mydb_select_field": "v",
                                 "mydb_where_field": "k"})
        self.assertEqual(self.tables.driver("sqlite:mydb").get(b"o'h@d"), b"3")

    def test_errors(self) -> None:
        failure = self.assertRaises(TableUnavailable, self.tables.driver(self.table("query = SELEKT")).get, b"a")
        self.assertIn('near "SELEKT"', failure.reason)
        self.assertRaises(TableMisconfigured, self.tables.driver, self.table("query = %q"))
        self.assertRaises(TableMisconfigured, self.tables.driver, self.table(""))


class ServerTests(SynchronousTestCase):
    """MT-7, NP-1, NP-2: drivers against a socket pair of the same process."""

    def setUp(self) -> None:
        self.tables = MemoryTables()
        self.listener = socket.socket(socket.AF_UNIX)
        self.path = os.path.relpath(os.path.abspath(self.mktemp()))
        self.listener.bind(self.path)
        self.listener.listen()
        self.addCleanup(self.listener.close)

    def serve(self, *replies: bytes) -> threading.Thread:
        def run() -> None:
            connection, _ = self.listener.accept()
            with connection:
                for reply in replies:
                    connection.recv(1000)
                    connection.sendall(reply)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def test_socketmap(self) -> None:
        thread = self.serve(b"5:OK v1,", b"9:NOTFOUND ,", b"10:TEMP later,")
        table = self.tables.driver(f"socketmap:unix:{self.path}:name")
        self.assertEqual([table.get(b"a"), table.get(b"b")], [b"v1", None])
        self.assertRaises(TableUnavailable, table.get, b"c")
        thread.join()
        table.close()
        self.assertIn("temporary error: later", self.tables.log.lines[0])

    def test_memcache(self) -> None:
        """MT-12, NP-3: get and set; what only the backup has goes into the cache."""
        config = os.path.abspath(self.mktemp())
        text = f"memcache = unix:{self.path}\nkey_format = p:%s\nbackup = inline:{{b=2}}\nmax_try = 1\n"
        replace_file(config, text.encode())
        thread = self.serve(b"VALUE p:a 0 1\r\n1\r\nEND\r\n", b"END\r\n", b"STORED\r\n", b"garbage\r\n")
        table = self.tables.driver(f"memcache:{config}")
        self.assertEqual([table.get(b"A"), table.get(b"b")], [b"1", b"2"])
        self.assertIsNone(table.get(b"a key with spaces"))
        self.assertIsNone(table.get(b"c"))  # the server talks nonsense: the backup answers
        self.assertIn("malformed reply", self.tables.log.lines[0])
        thread.join()
        table.close()

    def test_host_port(self) -> None:
        self.assertEqual(host_port("[::1]:25"), ("::1", 25))
        self.assertEqual(host_port("localhost:smtp"), ("localhost", 25))
        self.assertRaises(ValueError, host_port, "nothing")
        self.assertRaises(TableMisconfigured, self.tables.driver, "tcp:nothing")
        self.assertRaises(TableMisconfigured, self.tables.driver, "socketmap:other:x:y")
