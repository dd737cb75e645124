"""Tables that a name makes: inline, static, pipemap, unionmap and others (MT-6, LK-1, LK-13)."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.conformance.differential.programs import Case, Question
from tests.conformance.differential.tabletexts import MAIN, asked, key, plain_key, query

pair = st.tuples(
    plain_key.filter(lambda one: one != "\\"),
    st.sampled_from(("=", " = ", "= ")),
    st.sampled_from(("x", "1", "a b", "é", "$1", "a=b", "")),
).map("".join)


@st.composite
def member(draw: st.DrawFn, depth: int = 1) -> str:
    """A table that is named, not made."""
    kind = draw(st.integers(0, 9))
    if kind < 3:
        items = draw(st.lists(st.one_of(pair.filter(lambda p: " " not in p), pair.map("{{ {} }}".format)), max_size=4))
        return "inline:{" + draw(st.sampled_from((" ", ""))) + ", ".join(items) + draw(st.sampled_from((" ", ""))) + "}"
    if kind == 3:
        return draw(
            st.sampled_from(
                (
                    "static:x",
                    "static:{a b}",
                    "static:{ a }",
                    "static:{}",
                    "static:a=b",
                    "static:{a}b",
                    "fail:x",
                    "environ:",
                    "environ:x",
                    "internal:x",
                    "randmap:{z}",
                    "randmap:{}",
                    "randmap:z",
                    "unix:passwd.byname",
                    "unix:x",
                    "bogus:x",
                    "inline:x",
                    "inline:{a}",
                    "inline:{a=b",
                    "inline:{a=b}c",
                    "inline:{=b}",
                    "pipemap:{}",
                    "unionmap:{}",
                    "pipemap:x",
                    "nis:x",
                )
            )
        )
    if kind == 4:
        return draw(
            st.sampled_from(
                (
                    "texthash:@DIR@/t",
                    "texthash:@DIR@/none",
                    "regexp:@DIR@/r",
                    "pcre:@DIR@/r",
                    "cidr:@DIR@/none",
                    "regexp:{{/a/ x}}",
                    "pcre:{{/(a)/ y$1}, {/b/ z}}",
                    "cidr:{{10.0.0.0/8 n}, {::/0 six}}",
                    "regexp:{}",
                    "regexp:{/a/ x}",
                    "pcre:{{if /a/}, {/a/ x}, {endif}}",
                )
            )
        )
    if depth and kind < 8:
        members = draw(st.lists(member(depth - 1), min_size=1, max_size=3))
        return (
            draw(st.sampled_from(("pipemap", "unionmap")))
            + ":{"
            + draw(st.sampled_from((",", ", ", " "))).join(members)
            + "}"
        )
    return "inline:{a=b, b=c, c=a, x=y}"


@st.composite
def composed(draw: st.DrawFn) -> Case:
    """Tables of other tables, and tables that need no file: one or two of them, asked."""
    files = {"main.cf": MAIN, "t": b"a x\nb y\nc z\n10.0.0.1 n\n", "r": b"/^(a|x)$/ b\n/(.)b/ $1\n"}
    names = draw(st.lists(member(), min_size=1, max_size=2))
    keys = [*draw(asked()), b"DIFFERENTIAL", b"root", b"c"]
    if any("static" in name for name in names):  # 3.7 takes keys that are no UTF-8 to it, but not with -f
        keys = [one for one in keys if one != b"\xff\xc3"]
    flags = draw(st.sampled_from(([], [], ["-f"], ["-u"])))
    questions = [query("postmap", flags, names, keys), Question("postmap", [*flags, "-q", draw(key), *names])]
    questions.append(Question("postmap", [draw(st.sampled_from(("-s", "-d", "-i"))), names[0]]))
    if questions[-1].words[0] == "-d":
        questions[-1].words.insert(1, "a")
    return Case(files, questions)
