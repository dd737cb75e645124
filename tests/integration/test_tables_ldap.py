"""ldap: against a real slapd, and against what a real Postfix makes of the same entries (MT-11, NP-5, LK-13)."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import Any

from twisted.trial.unittest import SkipTest

from pytwfix.contracts.tables import TableUnavailable
from tests.kit import tableservers
from tests.kit.certificates import authority, leaf
from tests.kit.servercase import ServerCase
from tests.kit.tables import replace_file

_TOP = "dn: dc=lab\nobjectClass: dcObject\nobjectClass: organization\no: lab\ndc: lab\n\n"
_UNIT = "dn: ou={0},dc=lab\nobjectClass: organizationalUnit\nou: {0}\n\n"
_PERSON = "dn: uid={0},{1}\nobjectClass: inetOrgPerson\nuid: {0}\ncn: {0}\nsn: {0}\nmail: {0}@d\n{2}\n"
_GROUP = (
    "dn: cn={0},dc=lab\nobjectClass: groupOfNames\nobjectClass: extensibleObject\ncn: {0}\nmail: {0}@d\n{1}"
    "member: {2}\n\n"
)
_URL = "dn: cn={0},dc=lab\nobjectClass: inetOrgPerson\ncn: {0}\nsn: {0}\nlabeledURI: {1}\n\n"
_ALIAS = "dn: {0},dc=lab\nobjectClass: alias\nobjectClass: extensibleObject\n{1}aliasedObjectName: {2}\n\n"
_URLS = {
    "all": "ldap:///dc=lab??sub?(uid=multi)", "mail": "ldap:///dc=lab?mail?sub?(uid=multi)",
    "base": "ldap:///uid=multi,dc=lab", "none": "ldap:///dc=lab?sn?sub?(uid=multi)",
    "host": "ldap://nowhere.example/dc=lab??one?(mail=b*)", "deep": "ldap:///dc=lab??sub?(cn=%61llofus)",
    "option": "ldap:///dc=lab?mail;lang-de?sub?(uid=opt)", "bad": "ldap:///dc=lab??sub?(uid=",
}  # fmt: skip
_ENTRIES = (
    _TOP
    + _PERSON.format("bob", "dc=lab", "description: b1@x\nuserPassword: bobs\n")
    + _PERSON.format("multi", "dc=lab", "description: m1@x\ndescription: m2@x\n")
    + _PERSON.format("star", "dc=lab", "mail: *(x)@d\ndescription: s@x\n")
    + _PERSON.format("opt", "dc=lab", "mail;lang-de: de@d\n")
    + "".join(_UNIT.format(name) for name in ("near", "secret"))
    + _PERSON.format("near", "ou=near,dc=lab", "description: n@x\n")
    + _PERSON.format("hidden", "ou=secret,dc=lab", "description: h@x\n")
    + _GROUP.format("allofus", "", "uid=bob,dc=lab\nmember: uid=multi,dc=lab\nmember: uid=gone,dc=lab")
    + _GROUP.format("nested", "", "cn=allofus,dc=lab\nmember: uid=near,ou=near,dc=lab")
    + _GROUP.format("term", "uid: T\n", "cn=allofus,dc=lab")
    + _GROUP.format("loop", "", "cn=loop,dc=lab")
    + _GROUP.format("afar", "", "uid=far,ou=far,dc=lab")
    + _ALIAS.format("cn=alias", "cn: alias\n", "uid=near,ou=near,dc=lab")
    + _ALIAS.format("ou=links", "ou: links\n", "ou=near,dc=lab")
    + "".join(_URL.format(name, url) for name, url in _URLS.items())
)
_FAR = _UNIT.format("far") + _PERSON.format("far", "ou=far,dc=lab", "description: f@x\n")
_REFERRAL = "dn: ou={0},dc=lab\nobjectClass: referral\nobjectClass: extensibleObject\nou: {0}\nref: {1}\n\n"
_BY_UID = "query_filter = (uid=%s)\nresult_attribute = description"
_BY_NAME = "query_filter = (cn=%s)\nspecial_result_attribute = member labeledURI\n"


class Directory(tableservers.Slapd):
    """A server that refers to another for ou=far,dc=lab."""

    def __init__(self) -> None:
        self.far = tableservers.Slapd(_FAR, suffix="ou=far,dc=lab")
        url = f"ldap://127.0.0.1:{self.far.port}/ou=far,dc=lab"
        try:
            super().__init__(_ENTRIES + _REFERRAL.format("far", url), certificate=leaf("localhost"))
        except BaseException:
            self.far.remove()
            raise

    def remove(self) -> None:
        super().remove()
        self.far.remove()


class LdapCase(ServerCase):
    @classmethod
    def make(cls) -> tableservers.Server:
        return Directory()

    def config(self, text: str, host: str = "") -> Any:
        host = host or f"ldap://127.0.0.1:{self.server.port}"
        lines = {"server_host": host, "search_base": "dc=lab", "bind": "no", "timeout": "1"}
        lines |= dict(line.split(" = ", 1) for line in text.splitlines())
        self.text = "".join(f"{name} = {value}\n" for name, value in lines.items())
        return self.table("ldap", self.text)

    def pem(self, *authorities: str) -> str:
        path: str = os.path.abspath(self.mktemp())
        replace_file(path, b"".join(authority(name) for name in authorities))
        return path


class SlapdTests(LdapCase):
    def test_lookups(self) -> None:
        """MT-11, NP-5: values, escaping, formats."""
        table = self.config("query_filter = (mail=%s)\nresult_attribute = description")
        keys = (b"BOB@d", b"multi@d", b"*(x)@d", b"*", b"none@d")
        self.assertEqual([table.get(key) for key in keys], [b"b1@x", b"m1@x,m2@x", b"s@x", None, None])
        shown = self.config("query_filter = (mail=%s)\nresult_attribute = description\nresult_format = <%s>%U")
        self.assertEqual(shown.get(b"bob@d"), b"<b1@x>bob")

    def test_plain_filter(self) -> None:
        """MT-11: a filter needs no brackets around it, as in Postfix's own default."""
        self.assertEqual(self.config("query_filter = uid=%s\nresult_attribute = description").get(b"bob"), b"b1@x")

    def test_groups(self) -> None:
        """NP-5: DNs are followed; one that is not there is passed over."""
        table = self.config(f"{_BY_NAME}result_attribute = mail")
        self.assertEqual(table.get(b"nested"), b"nested@d,allofus@d,bob@d,multi@d,near@d")
        self.assertIn("dict_ldap_get_values[2]: DN uid=gone,dc=lab not found, skipping", self.tables.log.lines[-1])
        leaf_only = self.config(f"{_BY_NAME}result_attribute = mail\nleaf_result_attribute = mail")
        self.assertEqual([leaf_only.get(b"nested"), leaf_only.get(b"bob")], [b"bob@d,multi@d,near@d", b"bob@d"])
        terminal = self.config(f"{_BY_NAME}result_attribute = mail\nterminal_result_attribute = uid")
        self.assertEqual([terminal.get(b"allofus"), terminal.get(b"term")], [b"allofus@d,bob,multi", b"T"])

    def test_urls(self) -> None:
        """NP-5: URLs are followed, with the attributes that both sides name, on the same server."""
        table = self.config(f"{_BY_NAME}result_attribute = mail description")
        found = {name: table.get(name.encode()) for name in _URLS if name != "bad"}
        both = b"multi@d,m1@x,m2@x"
        self.assertEqual(
            found,
            {"all": both, "mail": b"multi@d", "base": both, "none": None, "host": b"bob@d,b1@x",
             "deep": b"allofus@d,bob@d,b1@x," + both, "option": b"de@d"},
        )  # fmt: skip
        self.assertRaises(TableUnavailable, table.get, b"bad")
        self.assertIn("dict_ldap_get_values[1]: search error -7: Bad search filter", self.tables.log.lines[-1])

    def test_options(self) -> None:
        """MT-11: an attribute goes by its name without options too."""
        self.assertEqual(self.config("query_filter = (uid=%s)\nresult_attribute = mail").get(b"opt"), b"opt@d,de@d")
        german = self.config("query_filter = (uid=%s)\nresult_attribute = mail;lang-de")
        self.assertEqual(german.get(b"opt"), b"de@d")

    def test_limits(self) -> None:
        """MT-11: size_limit, expansion_limit and recursion_limit are errors, in Postfix's words."""
        many = self.config("query_filter = (objectClass=%s)\nresult_attribute = mail\nsize_limit = 1")
        self.assertRaises(TableUnavailable, many.get, b"inetorgperson")
        self.assertIn("warning: dict_ldap_lookup: Search error 4: Size limit exceeded", self.tables.log.lines[-1])
        few = self.config(f"{_BY_NAME}result_attribute = mail\nexpansion_limit = 2")
        self.assertEqual(few.get(b"bob"), b"bob@d")
        self.assertRaises(TableUnavailable, few.get, b"allofus")
        self.assertIn("Expansion limit exceeded for key: 'allofus'", self.tables.log.lines[-1])
        flat = self.config(f"{_BY_NAME}result_attribute = mail\nrecursion_limit = 2")
        self.assertEqual(flat.get(b"allofus"), b"allofus@d,bob@d,multi@d")
        self.assertRaises(TableUnavailable, flat.get, b"nested")
        self.assertRaises(TableUnavailable, self.config(f"{_BY_NAME}recursion_limit = 5").get, b"loop")
        text = "Recursion limit exceeded for special attribute member=cn=loop,dc=lab"
        self.assertIn(text, self.tables.log.lines[-1])

    def test_bases(self) -> None:
        """MT-11: a base that is not there is an error, one that depends on the key is not; aliases as dereference says;
        a scope and a way that are none are the default, with a warning."""
        self.assertRaises(TableUnavailable, self.config(f"{_BY_UID}\nsearch_base = ou=none,dc=lab").get, b"bob")
        self.assertIn("Search base 'ou=none,dc=lab' not found: 32: No such object", self.tables.log.lines[-1])
        self.assertIsNone(self.config(f"{_BY_UID}\nsearch_base = ou=%u,dc=lab").get(b"bob"))
        links = f"{_BY_UID}\nsearch_base = ou=links,dc=lab\ndereference = "
        self.assertEqual([self.config(f"{links}{way}").get(b"near") for way in range(4)], [None, None, b"n@x", b"n@x"])
        self.assertIsNone(self.config(f"{links}4").get(b"near"))
        self.assertIn("Unrecognized value 4 specified for dereference; using 0", self.tables.log.lines[-1])
        self.assertIsNone(self.config(f"{_BY_UID}\nscope = one").get(b"near"))
        self.assertEqual(self.config(f"{_BY_UID}\nscope = wide").get(b"near"), b"n@x")
        self.assertIn("Unrecognized value wide specified for scope; using sub", self.tables.log.lines[-1])

    def test_referrals(self) -> None:
        """NP-5: chase_referrals = yes asks the other server, whether it is for the whole search or for a part."""
        chase = "\nchase_referrals = yes"
        self.assertIsNone(self.config(_BY_UID).get(b"far"))
        self.assertEqual(self.config(_BY_UID + chase).get(b"far"), b"f@x")
        there = f"{_BY_UID}\nsearch_base = ou=far,dc=lab"
        self.assertRaises(TableUnavailable, self.config(there).get, b"far")
        self.assertIn("dict_ldap_lookup: Search error 10: Referral", self.tables.log.lines[-1])
        self.assertEqual(self.config(there + chase).get(b"far"), b"f@x")
        group = f"{_BY_NAME}result_attribute = mail"
        self.assertRaises(TableUnavailable, self.config(group).get, b"afar")
        self.assertEqual(self.config(group + chase).get(b"afar"), b"afar@d,far@d")

    def test_referral_lost(self) -> None:
        """LK-13: a part that cannot be had is an error, not a part that is missing."""
        table = self.config(f"{_BY_UID}\nchase_referrals = yes")
        self.server.far.stop()
        try:
            self.assertRaises(TableUnavailable, table.get, b"bob")
        finally:
            self.server.far.start()
        self.assertEqual(table.get(b"bob"), b"b1@x")

    def test_outage(self) -> None:
        """NP-5, LK-13."""
        self.outage(self.config("query_filter = (mail=%s)\nresult_attribute = description"), b"bob@d", b"b1@x")

    def test_several_hosts(self) -> None:
        """MT-11: the next host is asked where one is dead, with server_port for those that name none."""
        hosts = f"ldap://127.0.0.1:1 127.0.0.1:{self.server.port}"
        self.assertEqual(self.config(_BY_UID, hosts).get(b"bob"), b"b1@x")
        port = f"{_BY_UID}\nserver_port = {self.server.port}"
        self.assertEqual(self.config(port, "127.0.0.1:1, 127.0.0.1").get(b"bob"), b"b1@x")

    def test_stalled_host(self) -> None:
        """MT-11: a host that says nothing is left after `timeout`, once, whatever the bind; alone it is an error."""
        for bind in ("no", "yes"):
            text = f"{_BY_UID}\nbind = {bind}"
            hosts = f"ldap://127.0.0.1:{self.server.far.port} ldap://127.0.0.1:{self.server.port}"
            table, alone = self.config(text, hosts), self.config(text, hosts.split()[0])
            self.server.far.pause()
            try:
                self.assertEqual(table.get(b"bob"), b"b1@x")
                lines = len(self.tables.log.lines)
                table.close()  # no connection is kept
                self.assertEqual(table.get(b"bob"), b"b1@x")
                self.assertEqual(len(self.tables.log.lines), lines)  # the stalled one was not asked again
                self.assertRaises(TableUnavailable, alone.get, b"bob")
            finally:
                self.server.far.resume()

    def test_as_postfix(self) -> None:
        """MT-11, NP-5: a real Postfix answers the same to the same configurations."""
        postmap = shutil.which("postmap", path="/usr/sbin")
        if postmap is None or not os.path.exists("/usr/lib/postfix/postfix-ldap.so"):
            raise SkipTest("no real Postfix with LDAP")
        configurations = {
            _BY_UID: ("bob", "multi", "none", "near"),
            f"{_BY_NAME}result_attribute = mail": ("nested", "allofus", "all", "mail", "option"),
            f"{_BY_NAME}result_attribute = mail description\nleaf_result_attribute = mail": ("nested", "deep", "host"),
            f"{_BY_UID}\nchase_referrals = yes": ("far", "bob"),
        }
        directory = os.path.abspath(self.mktemp())
        os.mkdir(directory)
        replace_file(f"{directory}/main.cf", b"compatibility_level = 3.6\n")
        os.utime(f"{directory}/main.cf", (1, 1))
        for text, keys in configurations.items():
            table = self.config(text)
            config = f"{directory}/t.cf"
            replace_file(config, (self.text + "version = 3\n").encode())
            done = subprocess.run(
                [postmap, "-c", directory, "-q", "-", f"ldap:{config}"],
                input="".join(f"{key}\n" for key in keys).encode(), capture_output=True, timeout=60, check=False,
            )  # fmt: skip
            real = dict(line.split(b"\t", 1) for line in done.stdout.splitlines())
            ours = {key.encode(): table.get(key.encode()) for key in keys}
            self.assertEqual({key: value for key, value in ours.items() if value is not None}, real, text)


class TlsTests(LdapCase):
    """MT-11: START_TLS and ldaps, with certificates that are good, of another authority, for another name."""

    def both_ways(self, text: str, name: str) -> list[Any]:
        """The table by START_TLS, and by TLS from the start."""
        tls = self.config(f"{_BY_UID}\n{text}\nstart_tls = yes", f"ldap://{name}:{self.server.port}")
        return [tls, self.config(f"{_BY_UID}\n{text}", f"ldaps://{name}:{self.server.tls_port}")]

    def test_good(self) -> None:
        for table in self.both_ways(f"tls_require_cert = yes\ntls_ca_cert_file = {self.pem('Test CA')}", "localhost"):
            self.assertEqual(table.get(b"bob"), b"b1@x")

    def test_not_required(self) -> None:
        """MT-11: without tls_require_cert any certificate will do."""
        for table in self.both_ways(f"tls_ca_cert_file = {self.pem('Other CA')}", "127.0.0.1"):
            self.assertEqual(table.get(b"bob"), b"b1@x")

    def test_wrong(self) -> None:
        for ca, name in (("Other CA", "localhost"), ("Test CA", "127.0.0.1")):
            for table in self.both_ways(f"tls_require_cert = yes\ntls_ca_cert_file = {self.pem(ca)}", name):
                self.assertRaises(TableUnavailable, table.get, b"bob")
                self.assertIn("certificate verify failed", self.tables.log.lines[-1])

    def test_unusable(self) -> None:
        """MT-11: a server without TLS, ciphers that are none, a file that is not there."""
        plain = f"ldap://127.0.0.1:{self.server.far.port}"
        self.assertRaises(TableUnavailable, self.config(f"{_BY_UID}\nstart_tls = yes", plain).get, b"far")
        for text in ("tls_cipher_suite = NONSENSE", "tls_ca_cert_file = /nowhere"):
            for table in self.both_ways(text, "localhost"):
                self.assertRaises(TableUnavailable, table.get, b"bob")

    def test_stalled(self) -> None:
        """LK-13: a handshake that gets no answer ends too."""
        tables = self.both_ways("timeout = 1", "127.0.0.1")
        self.server.pause()
        try:
            for table in tables:
                start = time.monotonic()
                self.assertRaises(TableUnavailable, table.get, b"bob")
                self.assertLess(time.monotonic() - start, 5)
        finally:
            self.server.resume()


class BindTests(LdapCase):
    """MT-11, NP-5: who we are is seen from what we may see."""

    def secret(self, text: str, host: str = "") -> bytes | None:
        found: bytes | None = self.config(f"{_BY_UID}\n{text}", host).get(b"hidden")
        return found

    def refused(self, text: str, code: str, host: str = "") -> None:
        self.assertRaises(TableUnavailable, self.config(f"{_BY_UID}\n{text}", host).get, b"hidden")
        self.assertIn(f": {code} (", self.tables.log.lines[-1])
        self.assertIn("warning: dict_ldap_connect: Unable to bind to server ldap", self.tables.log.lines[-1])

    def test_simple(self) -> None:
        """MT-11: bind = no, none, simple, yes."""
        bob = "bind_dn = uid=bob,dc=lab\nbind_pw = "
        for bind in ("no", "none", f"no\n{bob}bobs", "yes", "simple"):
            self.assertIsNone(self.secret(f"bind = {bind}"))
        for bind in ("yes", "Simple"):
            self.assertEqual(self.secret(f"bind = {bind}\n{bob}bobs"), b"h@x")
        self.refused(f"bind = yes\n{bob}wrong", "49")

    def test_external(self) -> None:
        """MT-11: SASL EXTERNAL on a UNIX socket is the user of this process; elsewhere it is nobody."""
        for mechanisms in ("EXTERNAL", ""):
            self.assertEqual(self.secret(f"bind = sasl\nsasl_mechs = {mechanisms}", self.server.ldapi), b"h@x")
        self.refused("bind = sasl\nsasl_mechs = EXTERNAL", "7")

    def test_passwords(self) -> None:
        """MT-11: SASL with a name and a password, by the mechanisms that the server has."""
        login = "bind = sasl\nbind_dn = bob\nbind_pw = {0}\nsasl_mechs = {1}"
        mechanisms = self.offered()
        for name in sorted(mechanisms & {"DIGEST-MD5", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN", "LOGIN"}):
            self.assertEqual(self.secret(login.format("bobs", name)), b"h@x", name)
            self.refused(login.format("wrong", name), "49")
        self.assertEqual(self.secret(login.format("bobs", "")), b"h@x")
        self.assertEqual(self.secret(login.format("bobs", "plain, digest-md5")), b"h@x")
        self.refused(login.format("bobs", "NOPE"), "-6")
        self.refused(login.format("bobs", "DIGEST-MD5\nsasl_minssf = 56"), "-6")
        self.assertEqual(self.secret(login.format("bobs", "\nsasl_minssf = 56"), self.server.ldapi), b"h@x")

    def offered(self) -> set[str]:
        import ldap3

        connection: Any = ldap3.Connection(ldap3.Server(f"ldap://127.0.0.1:{self.server.port}"), auto_bind=True)
        connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["supportedSASLMechanisms"])
        found = {str(name) for name in connection.entries[0].supportedSASLMechanisms}
        connection.unbind()
        if "DIGEST-MD5" not in found:
            raise SkipTest("no SASL modules (libsasl2-modules)")
        return found
