"""regexp, pcre and cidr tables, and messages that go through them (MT-2 to MT-4, RX-*, PM-1)."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.conformance.differential.programs import Case, Question
from tests.conformance.differential.tabletexts import MAIN, asked, key, query, value

PATTERNS = (
    "a",
    "^a",
    "a$",
    "^(.*)@(.*)$",
    "(a)(b)?",
    "[0-9]+",
    "(foo|bar)",
    "a|",
    "^10\\.",
    "x*",
    "\\.",
    "é",
    "[[:alpha:]]+",
    "(a",
    "a{2,3}",
    "[a",
    "(a|ab)(c|bcd)?(d*)",
    "^$",
    ".",
    "USER",
    "[^@]+",
    "(((a)))",
    "\\(x\\)",
    "a\\/b",
    "^\\*$",
    "a+b+",
    "(a*)+",
    "b{1",
    "*a",
    "a**",
    "(ab)\\1",
    "\\<a",
    "\\w+",
    "[a-",
    "^.{3,5}$",
    "$",
    "k=v",
    "\\$1",
)
RESULTS = (
    "x",
    "$1",
    "${1}",
    "$(1)",
    "$2-$1",
    "$$",
    "$9",
    "$x",
    "a b $1 c",
    "$0",
    "OK",
    "${1",
    "$",
    "é $1",
    "$11",
    "a$1b",
    "${12}",
)
FLAGS = ("", "", "", "i", "m", "x", "ii", "im", "z", "i m")


@st.composite
def rule(draw: st.DrawFn, letters: tuple[str, ...]) -> str:
    """A line of a regexp or pcre table."""
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return draw(
            st.sampled_from(
                (
                    "# c",
                    "",
                    "endif",
                    "ENDIF x",
                    "endif",
                    "if",
                    "if x",
                    "a b",
                    "/a",
                    "!",
                    "/a/",
                    "//  x",
                    "/a/ ",
                    " /a/ b",
                    "!!/a/ x",
                )
            )
        )
    pattern = draw(st.sampled_from(PATTERNS))
    mark = (
        draw(st.sampled_from("//////|,")) if "/" not in pattern and "|" not in pattern and "," not in pattern else "/"
    )
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
    return Case(
        {"main.cf": MAIN, "t": ("\n".join(lines) + "\n").encode()},
        [query("postmap", flags, [name], draw(asked())), Question("postmap", [*flags, "-q", draw(key), name])],
    )


NETS = (
    "10.0.0.0/8",
    "10.0.0.1",
    "10.0.0.1/8",
    "192.168.0.0/16",
    "2001:db8::/32",
    "::/0",
    "0.0.0.0/0",
    "2001:db8::1",
    "[::1]",
    "::1/129",
    "10.0.0.0/33",
    "1.2.3",
    "x",
    "10.0.0.0/",
    "[10.0.0.1]",
    "[2001:db8::]/32",
    "192.168.5.77/32",
    "::ffff:10.0.0.1",
    "010.0.0.1",
    "10.0.0.0/08",
    "10.0.0.0 /8",
    "fe80::1%lo",
    "10.0.0.0/-1",
)


@st.composite
def networks(draw: st.DrawFn) -> Case:
    """A cidr table, asked."""
    lines = []
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.integers(0, 11))
        net = draw(st.sampled_from(NETS))
        mark = draw(st.sampled_from(("", "", "", "!", "! ")))
        if kind == 0:
            lines.append(
                draw(st.sampled_from(("# c", "", "endif", "endif x", "if", "10.0.0.0/8", "!", " 1.2.3.4 x", "if x")))
            )
        elif kind < 3:
            lines.append(
                draw(st.sampled_from(("if ", "IF ", "if  "))) + mark + net + draw(st.sampled_from(("", "", " x")))
            )
        else:
            lines.append(mark + net + draw(st.sampled_from((" ", "\t"))) + draw(value))
    name = "cidr:@DIR@/t"
    addresses = st.sampled_from(
        (
            "10.0.0.1",
            "10.9.8.7",
            "192.168.5.77",
            "2001:db8::1",
            "::1",
            "1.2.3.4",
            "x",
            "010.0.0.1",
            "2001:DB8::1",
            "[::1]",
            "::ffff:10.0.0.1",
            "10.0.0",
            "2001:db8:0:0::1",
            "10.0.0.1 ",
            "fe80::1",
        )
    )
    keys = [one.encode() for one in draw(st.lists(addresses, min_size=1, max_size=12))]
    return Case({"main.cf": MAIN, "t": ("\n".join(lines) + "\n").encode()}, [query("postmap", [], [name], keys)])


@st.composite
def messages(draw: st.DrawFn) -> Case:
    """Header and body checks over a message (-h -b -m)."""
    pieces = (
        "Subject: a",
        "X: b\n c",
        "Content-Type: multipart/mixed; boundary=q",
        "--q",
        "--q--",
        "",
        "",
        "body abab",
        "Content-Type: message/rfc822",
        "Content-Type: text/plain",
        "To: user@d.example",
        "no header",
        ":",
        "x :y",
        "From x",
        "\ttab",
        ".",
        "Content-Transfer-Encoding: base64",
    )
    lines = draw(st.lists(st.sampled_from(pieces), max_size=14))
    flags = draw(st.sampled_from(("-h", "-b", "-hm", "-bm", "-hb", "-hbm", "-m", "-bhmU")))
    table = draw(
        st.sampled_from(
            ("regexp:{{/^(.*)$/ [$1]}}", "pcre:{{/(.)/ $1}}", "regexp:{{/a/ x}, {/^--/ sep}}", "inline:{a=b}")
        )
    )
    return Case({"main.cf": MAIN}, [Question("postmap", [flags, "-q", "-", table], ("\n".join(lines) + "\n").encode())])
