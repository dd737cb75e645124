"""Tables and keys as hypothesis makes them, and what postmap and postalias are asked (PM-*, LK-*, MT-*, RX-*)."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.conformance.differential.programs import Case, Question

MAIN = b"compatibility_level = 3.6\nmyhostname = h.example\n"
INDEXED = ("hash", "btree", "lmdb", "cdb")
KEYS = (
    "a",
    "b",
    "user@d.example",
    "User@D.Example",
    "d.example",
    ".d.example",
    "10.0.0.1",
    "10.0.0",
    "é",
    "É",
    "ß",
    "long" * 20,
    "x",
    "a b",
    "user+ext@d.example",
    '"q q"',
    '"a b"@d',
    "a:b",
    "*",
    "<>",
    "@",
    "abab",
    "aab",
    "AB",
    "2001:db8::1",
    "::1",
    "192.168.5.77",
    "10.1.2.3",
    "foo.bar",
    "(x)",
    "a\tb",
    "$1",
    "\\",
    "/",
    "0",
    "k=v",
    "\x01",
    "ẞ",
    "K\u0301",
)
VALUES = (
    "x",
    "1",
    "OK",
    "REJECT no",
    "a, b",
    "é",
    "$1",
    "a=b",
    "{ x }",
    "c" * 50,
    '"q"',
    "#x",
    "554 5.7.1 no",
    "a\tb",
    "@",
)

key = st.sampled_from(KEYS)
plain_key = st.sampled_from(tuple(one for one in KEYS if not any(c in " \t\x01" for c in one)))
value = st.sampled_from(VALUES)
rarely = st.integers(0, 24).map(lambda n: n == 0)
BAD = (
    "lonely",
    " stray x",
    '"open x',
    "\tx y",
    "key:\tvalue",
    '"a"b c',
    "  # c",
    "#",
    "x",
    '"" v',
    '"a\\"b" c',
    "a\x01b c",
)


def quoted(text: str) -> str:
    """A key with a space as it is written."""
    return '"' + text.replace('"', "") + '"' if " " in text else text


@st.composite
def line(draw: st.DrawFn, more: tuple[str, ...] = BAD) -> str:
    """A line of a table's text."""
    kind = draw(st.integers(0, 11))
    if kind == 0:
        return draw(st.sampled_from(("# comment", "", "  ", *more)))
    gap = draw(st.sampled_from((" ", "\t", "  ", "\t\t")))
    text = draw(plain_key | key.map(quoted)) + gap + draw(value)
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
    questions = [
        Question("postmap", [*flags, name]),
        query("postmap", draw(st.sampled_from(([], ["-f"], ["-u"]))), [name], keys),
    ]
    questions.append(Question("postmap", ["-q", draw(key), name]))
    if kind != "cdb":
        questions.append(Question("postmap", ["-s", name]))
        alike = "-n" not in flags  # what 3.7 answers of a table with keys of both kinds is an accident
        questions += draw(st.lists(change(name, alike), max_size=2))
        questions.append(Question("postmap", ["-s", name]))
    questions.append(query("postmap", [], [name], keys))
    return Case({"main.cf": MAIN, "t": draw(text())}, questions)


@st.composite
def change(draw: st.DrawFn, name: str, increment: bool) -> Question:
    """An increment or a deletion."""
    if increment and draw(st.booleans()):
        flags = [one for one in draw(make_flags) if one not in ("-n", "-N")]
        return Question("postmap", [*flags, "-i", name], draw(text()))
    if draw(st.booleans()):
        return Question("postmap", ["-d", draw(key), name])
    keys = [one for one in draw(asked()) if one != b"\xff\xc3"]  # 3.7: such a key is deleted with success
    return Question("postmap", ["-d", "-", name], b"".join(one + b"\n" for one in keys), keys=len(keys))


@st.composite
def aliases(draw: st.DrawFn) -> Case:
    """postalias over aliases."""
    # Quoted names with special characters are kept in quotes since 3.11 (PM-2), so none is here.
    left = st.sampled_from(
        (
            "a",
            "B",
            "postmaster",
            "owner-x",
            "a.b",
            "<a>",
            "a b",
            '"a"',
            "a@b",
            "é",
            "a(c)",
            "",
            "x+y",
            "a,b",
            "a\\b",
            "\\a",
            "a:b",
            "[a]",
            "a[b]c",
            "<>",
        )
    )
    right = st.sampled_from(
        (
            "root",
            "a, b",
            "|/bin/cat",
            '"|/bin/cat x"',
            ":include:/x",
            "/dev/null",
            "a@b.example",
            "é",
            "a (comment)",
            "<a@b>",
            "Name <a@b>",
            '"q q"@x',
            "",
            "a,\n b",
            "a\n# c\n b",
            "a;b",
            "a b",
            "\\x",
            "a(b(c)d)e",
            "[1.2.3.4]",
            "a@[1.2.3.4]",
            '"a\\"b"',
            "x:y",
            "a%b",
            "a!b",
            "'q'",
            "a,,b",
        )
    )
    one = st.tuples(left, st.sampled_from((":", ": ", " : ", ":\t")), right).map("".join)
    lines = draw(
        st.lists(st.one_of(one, one, one, st.sampled_from(("# c", "", "a b", " x: y", ":", "x:", '"a: b'))), max_size=8)
    )
    name = f"{draw(st.sampled_from(INDEXED[:3]))}:@DIR@/t"
    keys = [
        k.encode()
        for k in draw(
            st.lists(st.sampled_from(("a", "b", "B", "postmaster", "a b", '"a b"', "@", "é", "<a>", "a.b")), min_size=1)
        )
    ]
    questions = [
        Question("postalias", [*draw(make_flags.map(lambda f: [x for x in f if x != "-u"])), name]),
        query("postalias", [], [name], keys),
    ]
    questions += [Question("postalias", ["-s", name]), Question("postalias", ["-q", keys[0].decode(), name])]
    return Case({"main.cf": MAIN, "t": ("\n".join(lines) + "\n").encode()}, questions)


@st.composite
def texthash(draw: st.DrawFn) -> Case:
    """A text that is read as it stands."""
    flags = draw(st.sampled_from(([], [], ["-f"], ["-u"])))
    keys = draw(asked())
    return Case(
        {"main.cf": MAIN, "t": draw(text())},
        [query("postmap", flags, ["texthash:@DIR@/t"], keys), Question("postmap", ["-s", "texthash:@DIR@/t"])],
    )
