"""Tables and keys as hypothesis makes them, and what postmap and postalias are asked about them (PM-*, LK-*, MT-*, RX-*)."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.conformance.differential.programs import Case, Question

MAIN = b"compatibility_level = 3.6\nmyhostname = h.example\n"
INDEXED = ("hash", "btree", "lmdb", "cdb")
KEYS = (
    "a", "b", "user@d.example", "User@D.Example", "d.example", ".d.example", "10.0.0.1", "10.0.0", "é", "É", "ß", "long" * 20,
    "x", "a b", "user+ext@d.example", '"q q"', '"a b"@d', "a:b", "*", "<>", "@", "abab", "aab", "AB", "2001:db8::1", "::1",
    "192.168.5.77", "10.1.2.3", "foo.bar", "(x)", "a\tb", "$1", "\\", "/", "0", "k=v", "\x01", "ẞ", "K\u0301",
)  # fmt: skip
VALUES = ("x", "1", "OK", "REJECT no", "a, b", "é", "$1", "a=b", "{ x }", "c" * 50, '"q"', "#x", "554 5.7.1 no", "a\tb", "@")

key = st.sampled_from(KEYS)
plain_key = st.sampled_from(tuple(one for one in KEYS if not any(c in " \t\x01" for c in one)))
value = st.sampled_from(VALUES)
rarely = st.integers(0, 24).map(lambda n: n == 0)
BAD = ("lonely", " stray x", '"open x', "\tx y", "key:\tvalue", '"a"b c', "  # c", "#", "x", '"" v', '"a\\"b" c', "a\x01b c")


@st.composite
def line(draw: st.DrawFn, more: tuple[str, ...] = BAD) -> str:
    """A line of a table's text."""
    kind = draw(st.integers(0, 11))
    if kind == 0:
        return draw(st.sampled_from(("# comment", "", "  ", *more)))
    gap = draw(st.sampled_from((" ", "\t", "  ", "\t\t")))
    text = draw(plain_key | key.map(lambda k: '"%s"' % k.replace('"', "") if " " in k else k)) + gap + draw(value)
    return text + draw(st.sampled_from(("", "", "", " ", "\r", "\n more", "\n\t# c\n  more", "\n\n  more")))


@st.composite
def text(draw: st.DrawFn) -> bytes:
    """A table's text; seldom with bytes that are no UTF-8."""
    lines = draw(st.lists(line(), max_size=10))
    made = ("\n".join(lines) + draw(st.sampled_from(("\n", "")))).encode()
    return made.replace(b"OK", b"\xff\xfe") if draw(rarely) else made


@st.composite
def asked(draw: st.DrawFn) -> list[bytes]:
    """Keys for -q -."""
    keys = [one.encode() for one in draw(st.lists(key, min_size=1, max_size=12))]
    return [*keys, b"\xff\xc3"] if draw(rarely) else keys


def query(program: str, flags: list[str], names: list[str], keys: list[bytes]) -> Question:
    return Question(program, [*flags, "-q", "-", *names], b"".join(one + b"\n" for one in keys), keys=len(keys))


make_flags = st.lists(st.sampled_from(("-f", "-w", "-r", "-N", "-n", "-o", "-p", "-u")), max_size=2, unique=True)


@st.composite
def indexed(draw: st.DrawFn) -> Case:
    """An indexed table: made, asked, listed, changed, asked again."""
    kind = draw(st.sampled_from(INDEXED))
    name = f"{kind}:@DIR@/t"
    flags = draw(make_flags)
    keys = draw(asked())
    questions = [Question("postmap", [*flags, name]), query("postmap", draw(st.sampled_from(([], ["-f"], ["-u"]))), [name], keys)]
    questions.append(Question("postmap", ["-q", draw(key), name]))
    if kind != "cdb":
        questions.append(Question("postmap", ["-s", name]))
        questions += draw(st.lists(change(name), max_size=2))
        questions.append(Question("postmap", ["-s", name]))
    questions.append(query("postmap", [], [name], keys))
    return Case({"main.cf": MAIN, "t": draw(text())}, questions)


@st.composite
def change(draw: st.DrawFn, name: str) -> Question:
    """An increment or a deletion."""
    if draw(st.booleans()):
        flags = [one for one in draw(make_flags) if one not in ("-n", "-N")]  # a table with both kinds of keys is an accident
        return Question("postmap", [*flags, "-i", name], draw(text()))
    if draw(st.booleans()):
        return Question("postmap", ["-d", draw(key), name])
    keys = [one for one in draw(asked()) if one.isascii() or one != b"\xff\xc3"]  # 3.7: such a key is deleted with success
    return Question("postmap", ["-d", "-", name], b"".join(one + b"\n" for one in keys), keys=len(keys))


@st.composite
def aliases(draw: st.DrawFn) -> Case:
    """postalias over aliases."""
    # Quoted names with special characters are kept in quotes since 3.11 (PM-2), so none is here.
    left = st.sampled_from(("a", "B", "postmaster", "owner-x", "a.b", "<a>", "a b", '"a"', "a@b", "é", "a(c)", "", "x+y", "a,b",
                            "a\\b", "\\a", "a:b", "[a]", "a[b]c", "<>"))  # fmt: skip
    right = st.sampled_from(("root", "a, b", "|/bin/cat", '"|/bin/cat x"', ":include:/x", "/dev/null", "a@b.example", "é",
                             "a (comment)", "<a@b>", "Name <a@b>", '"q q"@x', "", "a,\n b", "a\n# c\n b", "a;b", "a b", "\\x",
                             "a(b(c)d)e", "[1.2.3.4]", "a@[1.2.3.4]", '"a\\"b"', "x:y", "a%b", "a!b", "'q'", "a,,b"))  # fmt: skip
    one = st.tuples(left, st.sampled_from((":", ": ", " : ", ":\t")), right).map("".join)
    lines = draw(st.lists(st.one_of(one, one, one, st.sampled_from(("# c", "", "a b", " x: y", ":", "x:", '"a: b'))), max_size=8))
    name = f"{draw(st.sampled_from(INDEXED[:3]))}:@DIR@/t"
    keys = [k.encode() for k in draw(st.lists(st.sampled_from(("a", "b", "B", "postmaster", "a b", '"a b"', "@", "é", "<a>", "a.b")), min_size=1))]
    questions = [Question("postalias", [*draw(make_flags.map(lambda f: [x for x in f if x != "-u"])), name]), query("postalias", [], [name], keys)]
    questions += [Question("postalias", ["-s", name]), Question("postalias", ["-q", keys[0].decode(), name])]
    return Case({"main.cf": MAIN, "t": ("\n".join(lines) + "\n").encode()}, questions)


PATTERNS = (
    "a", "^a", "a$", "^(.*)@(.*)$", "(a)(b)?", "[0-9]+", "(foo|bar)", "a|", "^10\\.", "x*", "\\.", "é", "[[:alpha:]]+", "(a", "a{2,3}", "[a",
    "(a|ab)(c|bcd)?(d*)", "^$", ".", "USER", "[^@]+", "(((a)))", "\\(x\\)", "a\\/b", "^\\*$", "a+b+", "(a*)+", "b{1", "*a", "a**",
    "(ab)\\1", "\\<a", "\\w+", "[a-", "^.{3,5}$", "$", "k=v", "\\$1",
)  # fmt: skip
RESULTS = ("x", "$1", "${1}", "$(1)", "$2-$1", "$$", "$9", "$x", "a b $1 c", "$0", "OK", "${1", "$", "é $1", "$11", "a$1b", "${12}")
FLAGS = ("", "", "", "i", "m", "x", "ii", "im", "z", "i m")


@st.composite
def rule(draw: st.DrawFn, letters: tuple[str, ...]) -> str:
    """A line of a regexp or pcre table."""
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return draw(st.sampled_from(("# c", "", "endif", "ENDIF x", "endif", "if", "if x", "a b", "/a", "!", "/a/", "//  x", "/a/ ", " /a/ b", "!!/a/ x")))
    pattern = draw(st.sampled_from(PATTERNS))
    mark = draw(st.sampled_from("//////|,")) if "/" not in pattern and "|" not in pattern and "," not in pattern else "/"
    flags = draw(st.sampled_from(letters))
    negated = draw(st.sampled_from(("", "", "", "", "!", "! ")))
    if kind < 4:
        word = draw(st.sampled_from(("if", "IF", "if")))
        return f"{word} {negated}{mark}{pattern}{mark}{flags}{draw(st.sampled_from(('', '', '', ' junk')))}"
    result = draw(st.sampled_from(RESULTS)) if not negated else draw(st.sampled_from(("x", "OK", "$$", "$1")))
    gap, more = draw(st.sampled_from((" ", "  "))), draw(st.sampled_from(("", "", "\n  more")))
    return f"{negated}{mark}{pattern}{mark}{flags}{gap}{result}{more}"


@st.composite
def patterns(draw: st.DrawFn) -> Case:
    """A regexp or pcre table, asked."""
    kind = draw(st.sampled_from(("regexp", "pcre")))
    letters = FLAGS if kind == "regexp" else (*FLAGS, "s", "A", "E", "U", "X", "ims")
    lines = draw(st.lists(rule(letters), min_size=1, max_size=8))
    name = f"{kind}:@DIR@/t"
    flags = draw(st.sampled_from(([], [], ["-f"], ["-u"])))
    return Case({"main.cf": MAIN, "t": ("\n".join(lines) + "\n").encode()}, [query("postmap", flags, [name], draw(asked())),
                                                                            Question("postmap", [*flags, "-q", draw(key), name])])  # fmt: skip


NETS = (
    "10.0.0.0/8", "10.0.0.1", "10.0.0.1/8", "192.168.0.0/16", "2001:db8::/32", "::/0", "0.0.0.0/0", "2001:db8::1", "[::1]", "::1/129",
    "10.0.0.0/33", "1.2.3", "x", "10.0.0.0/", "[10.0.0.1]", "[2001:db8::]/32", "192.168.5.77/32", "::ffff:10.0.0.1", "010.0.0.1", "10.0.0.0/08",
    "10.0.0.0 /8", "fe80::1%lo", "10.0.0.0/-1",
)  # fmt: skip


@st.composite
def networks(draw: st.DrawFn) -> Case:
    """A cidr table, asked."""
    lines = []
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.integers(0, 11))
        net = draw(st.sampled_from(NETS))
        mark = draw(st.sampled_from(("", "", "", "!", "! ")))
        if kind == 0:
            lines.append(draw(st.sampled_from(("# c", "", "endif", "endif x", "if", "10.0.0.0/8", "!", " 1.2.3.4 x", "if x"))))
        elif kind < 3:
            lines.append(draw(st.sampled_from(("if ", "IF ", "if  "))) + mark + net + draw(st.sampled_from(("", "", " x"))))
        else:
            lines.append(mark + net + draw(st.sampled_from((" ", "\t"))) + draw(value))
    name = "cidr:@DIR@/t"
    addresses = st.sampled_from(("10.0.0.1", "10.9.8.7", "192.168.5.77", "2001:db8::1", "::1", "1.2.3.4", "x", "010.0.0.1", "2001:DB8::1", "[::1]",
                                 "::ffff:10.0.0.1", "10.0.0", "2001:db8:0:0::1", "10.0.0.1 ", "fe80::1"))  # fmt: skip
    keys = [one.encode() for one in draw(st.lists(addresses, min_size=1, max_size=12))]
    return Case({"main.cf": MAIN, "t": ("\n".join(lines) + "\n").encode()}, [query("postmap", [], [name], keys)])


pair = st.tuples(plain_key, st.sampled_from(("=", " = ", "= ")), st.sampled_from(("x", "1", "a b", "é", "$1", "a=b", ""))).map("".join)


@st.composite
def member(draw: st.DrawFn, depth: int = 1) -> str:
    """A table that is named, not made."""
    kind = draw(st.integers(0, 9))
    if kind < 3:
        items = draw(st.lists(st.one_of(pair.filter(lambda p: " " not in p), pair.map("{{ {} }}".format)), max_size=4))
        return "inline:{" + draw(st.sampled_from((" ", ""))) + ", ".join(items) + draw(st.sampled_from((" ", ""))) + "}"
    if kind == 3:
        return draw(st.sampled_from(("static:x", "static:{a b}", "static:{ a }", "static:", "static:{}", "static:a=b", "static:{a}b", "fail:x", "environ:", "environ:x",
                                     "internal:x", "randmap:{z}", "randmap:{}", "randmap:z", "unix:passwd.byname", "unix:x", "bogus:x", "inline:", "inline:x",
                                     "inline:{a}", "inline:{a=b", "inline:{a=b}c", "inline:{=b}", "pipemap:{}", "unionmap:{}", "pipemap:x", "static", "debug:static:q",
                                     "nis:x")))  # fmt: skip
    if kind == 4:
        return draw(st.sampled_from(("texthash:@DIR@/t", "texthash:@DIR@/none", "regexp:@DIR@/r", "pcre:@DIR@/r", "cidr:@DIR@/none",
                                     "regexp:{{/a/ x}}", "pcre:{{/(a)/ y$1}, {/b/ z}}", "cidr:{{10.0.0.0/8 n}, {::/0 six}}", "texthash:{{a x}, {b y}}", "regexp:{}",
                                     "regexp:{/a/ x}", "pcre:{{if /a/}, {/a/ x}, {endif}}", "hash:@DIR@/none", "hash:{{a b}}")))  # fmt: skip
    if depth and kind < 8:
        members = draw(st.lists(member(depth - 1), min_size=1, max_size=3))
        return draw(st.sampled_from(("pipemap", "unionmap"))) + ":{" + draw(st.sampled_from((",", ", ", " "))).join(members) + "}"
    return "inline:{a=b, b=c, c=a, x=y}"


@st.composite
def composed(draw: st.DrawFn) -> Case:
    """Tables of other tables, and tables that need no file: one or two of them, asked."""
    files = {"main.cf": MAIN, "t": b"a x\nb y\nc z\n10.0.0.1 n\n", "r": b"/^(a|x)$/ b\n/(.)b/ $1\n"}
    names = draw(st.lists(member(), min_size=1, max_size=2))
    keys = [*draw(asked()), b"DIFFERENTIAL", b"root", b"c"]
    flags = draw(st.sampled_from(([], [], ["-f"], ["-u"])))
    questions = [query("postmap", flags, names, keys), Question("postmap", [*flags, "-q", draw(key), *names])]
    questions.append(Question("postmap", [draw(st.sampled_from(("-s", "-d", "-i"))), names[0]]))
    if questions[-1].words[0] == "-d":
        questions[-1].words.insert(1, "a")
    return Case(files, questions)


@st.composite
def texthash(draw: st.DrawFn) -> Case:
    """A text that is read as it stands."""
    flags = draw(st.sampled_from(([], [], ["-f"], ["-u"])))
    keys = draw(asked())
    return Case({"main.cf": MAIN, "t": draw(text())}, [query("postmap", flags, ["texthash:@DIR@/t"], keys),
                                                       Question("postmap", ["-s", "texthash:@DIR@/t"])])  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> Case:
    """Header and body checks over a message (-h -b -m)."""
    pieces = ("Subject: a", "X: b\n c", "Content-Type: multipart/mixed; boundary=q", "--q", "--q--", "", "", "body abab", "Content-Type: message/rfc822",
              "Content-Type: text/plain", "To: user@d.example", "no header", ":", "x :y", "From x", "\ttab", ".", "Content-Transfer-Encoding: base64")  # fmt: skip
    lines = draw(st.lists(st.sampled_from(pieces), max_size=14))
    flags = draw(st.sampled_from(("-h", "-b", "-hm", "-bm", "-hb", "-hbm", "-m", "-bhmU")))
    table = draw(st.sampled_from(("regexp:{{/^(.*)$/ [$1]}}", "pcre:{{/(.)/ $1}}", "regexp:{{/a/ x}, {/^--/ sep}}", "inline:{a=b}")))
    return Case({"main.cf": MAIN}, [Question("postmap", [flags, "-q", "-", table], ("\n".join(lines) + "\n").encode())])
