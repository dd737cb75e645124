"""main.cf and master.cf files as hypothesis makes them, and what postconf is asked about them (PC-*, MC-*, DN-*, MX-*).

Text is put together from what the grammar knows, with pieces that are wrong now and then.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.conformance.differential.programs import Case, Question

BUILTIN = (
    "myhostname",
    "mydomain",
    "mydestination",
    "relay_domains",
    "relayhost",
    "mynetworks",
    "biff",
    "smtpd_timeout",
    "message_size_limit",
    "smtpd_banner",
    "virtual_alias_maps",
    "smtpd_recipient_restrictions",
    "soft_bounce",
    "smtpd_restriction_classes",
    "queue_run_delay",
    "local_transport",
    "default_transport",
    "recipient_delimiter",
    "canonical_maps",
    "transport_maps",
    "smtp_bind_address",
    "inet_protocols",
    "forward_path",
    "export_environment",
)
SERVICE = (
    "relay_destination_concurrency_limit",
    "smtp_destination_rate_delay",
    "maildrop_time_limit",
    "policy-spf_time_limit",
    "maildrop_destination_recipient_limit",
    "nosuch_destination_concurrency_limit",
    "lmtp_initial_destination_concurrency",
    "local_destination_recipient_limit",
    "default_destination_rate_delay",
)
USER = ("u1", "u2", "u_three", "U4", "my-var", "ldapx_server_host", "mysqlx_hosts", "mysqlx_bogus", "x9")
ODD = ("process_name", "service_name", "virtual_maps", "fallback_relay", "smtp_enforce_tls", "compatibility_level")
KNOWN_NAMES = (*BUILTIN, *SERVICE, *USER)
WORDS = (
    "a",
    "x.example",
    "10.0.0.0/8",
    "permit",
    "reject",
    "permit_mynetworks,",
    "7",
    "0",
    "012",
    "30s",
    "yes",
    "no",
    "é",
    "localhost,",
    "hash:/etc/x",
    "ldap:ldapx",
    "mysql:mysqlx",
    "ldap:@DIR@/ldap.cf",
    "pgsql:@DIR@/missing.cf",
    "mysql:@DIR@/ldap.cf",
    "proxy:mysql:mysqlx",
    "#",
    "#comment",
    "a#b",
    "=",
    "==",
    "{",
    "}",
    "{ a b }",
    ",",
    "$$",
    "'q'",
    '"q q"',
    "\\",
    "a\tb",
    "  ",
    "u1",
    "x" * 30,
    "inline:{ a=b }",
    "ldap:{ a = b }",
    "5!",
    "%",
    "(",
    ")",
    "?",
    ":",
)

names = st.sampled_from(KNOWN_NAMES)
any_name = st.one_of(names, names, names, st.sampled_from(ODD), st.sampled_from(("", "a b", "é", "a.b", "$u1", "x-")))
words = st.sampled_from(WORDS)
space = st.sampled_from(("", " ", " ", "  ", "\t"))
number = st.sampled_from(("1", "2", "10", "3.6", "3.11", "x", "", "007", "12345678901"))
operator = st.sampled_from(("==", "!=", "<", "<=", ">", ">=", "<level", "==level", ">=level", "!=level", "=", "~"))
rarely = st.integers(0, 19).map(lambda n: n == 0)


def braced(text: str) -> str:
    return "{" + text + "}"


@st.composite
def macro(draw: st.DrawFn, depth: int = 2) -> str:
    """A reference, a conditional, a relation; seldom one with a fault."""
    kind = draw(st.integers(0, 9))
    name = draw(names)
    inner = draw(text(depth - 1)) if depth else draw(words)
    s = draw(space)
    if kind < 2:
        return "$" + name
    if kind == 2:
        return draw(st.sampled_from(("${" + name + "}", "$(" + name + ")")))
    if kind == 3:
        return "${" + name + draw(st.sampled_from("?:")) + s + inner + "}"
    if kind == 4:
        return "${" + name + s + draw(st.sampled_from("?:")) + braced(inner) + "}"
    if kind == 5:
        return "${" + name + "?" + s + braced(inner) + s + ":" + s + braced(draw(words)) + "}"
    if kind == 6:
        return "${" + name + "?" + braced(inner) + ":" + draw(words) + "}"
    if kind in (7, 8):
        both = f" ? {braced(inner)} : {braced(name)}"
        rest = draw(st.sampled_from(("", both, "?" + braced(inner), ":" + braced(inner), "? yes")))
        left, right = (draw(st.one_of(number, words, st.just("$" + name))) for _ in "lr")
        return "${" + braced(left) + s + draw(operator) + s + braced(right) + rest + "}"
    return draw(
        st.sampled_from(
            (
                "$",
                "${",
                "${}",
                "$()",
                "${u1",
                "$(u1}",
                "${u1?{a}{b}}",
                "${u1?{a}:{b}c}",
                "$é",
                "${u1 }",
                "${ u1}",
                "${u-1}",
                "${u1?}",
                "${u1:}",
                "${{a}}",
                "${{a} == b}",
            )
        )
    )


@st.composite
def text(draw: st.DrawFn, depth: int = 2) -> str:
    """A value."""
    parts = draw(st.lists(st.one_of(words, words, macro(depth)) if depth else words, min_size=0, max_size=4))
    return draw(st.sampled_from((" ", " ", "", ", "))).join(parts)


sane_text = st.lists(st.one_of(words.filter(lambda w: w not in "{}$$()"), names.map("${}".format)), max_size=4).map(
    " ".join
)
value = st.one_of(sane_text, sane_text, text())


@st.composite
def main_line(draw: st.DrawFn) -> str:
    """One physical line or more."""
    kind = draw(st.integers(0, 15))
    if kind == 0:
        return draw(st.sampled_from(("# comment", "", "  ", "\t# indented", "#", " \r", "#a = b")))
    if kind == 1:
        lines = draw(st.lists(sane_text, min_size=2, max_size=3))
        between = draw(st.sampled_from(("\n  ", "\n\t", "\n# c\n ", "\n\n ", "\n  # c\n ")))
        return f"{draw(names)} = " + between.join(lines)
    if kind == 2 and draw(rarely):
        return draw(st.sampled_from(("noequals", "two words = x", "= x", " stray = x", "=", "é", "a")))
    end = draw(st.sampled_from(("", "", "", " ", "\r", "\t", " # c")))
    return draw(any_name if draw(rarely) else names) + draw(space) + "=" + draw(space) + draw(value) + end


@st.composite
def main_cf(draw: st.DrawFn) -> str:
    """A whole main.cf."""
    level = draw(
        st.sampled_from(
            (
                "compatibility_level = 3.6\n",
                "compatibility_level = 3.6\n",
                "",
                "compatibility_level = 2\n",
                "compatibility_level=1\n",
                "compatibility_level = 0\n",
            )
        )
    )
    body = "\n".join(draw(st.lists(main_line(), max_size=8)))
    return level + body + draw(st.sampled_from(("\n", "\n", "")))


# The networks of the machine end in a space in 3.7, which shows where a value is put in braces.
own_value = st.one_of(words, names.map("${}".format), macro(1)).filter(
    lambda value: "mynetworks" not in value and value.count("{") == value.count("}")  # braces may hold a line end
)
COMMANDS = ("smtpd", "smtp", "lmtp", "pipe", "spawn", "local", "virtual", "cleanup", "error", "qmgr")
service_name = st.sampled_from(("smtp", "relay", "maildrop", "policy-spf", "10025", "127.0.0.1:10026", "cleanup", "x"))
service_type = st.sampled_from(("inet", "unix", "unix", "unix-dgram", "fifo", "pass"))
yes_no = st.sampled_from(("-", "n", "y"))


@st.composite
def argument(draw: st.DrawFn) -> str:
    """A word of a command, or an option with its value."""
    kind = draw(st.integers(0, 9))
    name = draw(names)
    if kind < 4:
        return f"-o {name}={draw(own_value).replace(' ', '')}"
    if kind == 4:
        return "-o " + braced(f" {name} = {draw(sane_text)} ")
    if kind == 5:
        return "-o " + braced(f"{name}={draw(sane_text)}")
    if kind == 6:
        return f"-o{name}=1"
    return draw(
        st.sampled_from(
            (
                "-v",
                "-D",
                "-vv",
                "flags=DRhu",
                "user=nobody",
                "argv=/bin/x",
                "x { a b }",
                "x {x}",
                "${recipient}",
                "-s 5",
                "-o a",
                "--",
                "x { a } b",
                "-vo a=b",
                "x { a {b} }",
                "-o { x }",
                "-o { = x }",
                "-oa=bob",
                "-o {a=b}c",
                "é",
            )
        )
    )


@st.composite
def master_line(draw: st.DrawFn) -> str:
    """One entry."""
    kind = draw(st.integers(0, 29))
    if kind == 0:
        return draw(st.sampled_from(("# comment", "", "  # x", " stray inet n - n - - smtpd", "#a unix")))
    if kind == 1 and draw(rarely):
        return draw(
            st.sampled_from(
                (
                    "smtp inet n",
                    "x",
                    "smtp inet n - n - -",
                    "smtp bogus n - n - - smtpd",
                    "smtp inet Y - n - - smtpd",
                    "smtp inet n - n x - smtpd",
                    "smtp inet n - n 5? - smtpd",
                    "smtp inet n - n ? - smtpd",
                    "smtp inet n - n - -1 smtpd",
                    "smtp inet n - n - 1? smtpd",
                )
            )
        )
    fields = [
        draw(service_name),
        draw(service_type),
        draw(yes_no),
        draw(yes_no),
        draw(yes_no),
        draw(st.sampled_from(("-", "0", "60", "1000?"))),
        draw(st.sampled_from(("-", "0", "1", "100"))),
        draw(st.sampled_from(COMMANDS)),
    ]
    line = draw(st.sampled_from((" ", "\t", "   "))).join(fields)
    for one in draw(st.lists(argument(), max_size=3)):
        line += draw(st.sampled_from((" ", " ", "\n  ", "\n\t", "\n# c\n  "))) + one
    return line


@st.composite
def master_cf(draw: st.DrawFn) -> str:
    """A whole master.cf."""
    return "\n".join(draw(st.lists(master_line(), max_size=5))) + "\n"


third = st.one_of(
    st.just("*"), names, st.sampled_from(("command", "chroot", "wakeup", "service", "process_limit", "no"))
)


@st.composite
def request(draw: st.DrawFn) -> str:
    """A request of -M, -F or -P."""
    parts = [draw(st.one_of(service_name, st.just("*"))), draw(st.one_of(service_type, st.just("*"))), draw(third), "x"]
    return "/".join(parts[: draw(st.sampled_from((1, 2, 2, 3, 3, 3, 4) if draw(rarely) else (1, 2, 2, 3)))])


@st.composite
def show_words(draw: st.DrawFn) -> list[str]:
    """A postconf that prints."""
    style = draw(st.lists(st.sampled_from(("-f", "-h", "-x", "-H", "-n", "-x", "-p")), max_size=2, unique=True))
    override = ["-o", f"{draw(names)}={draw(sane_text)}"] if draw(st.integers(0, 7)) == 0 else []
    kind = draw(st.integers(0, 9))
    if kind < 3:
        chosen = draw(
            st.sampled_from(("-C builtin", "-C service", "-C user", "-C all", "-C user,service", "-C bad", "-Call"))
        )
        style = [one for one in style if one != "-h" or "-n" in style]  # values alone cannot be told apart
        return [*style, *override, *(chosen.split() if draw(st.booleans()) else [])]
    if kind < 6:
        return [
            *style,
            *override,
            *draw(st.lists(st.one_of(any_name, st.sampled_from(("nosuch",))), min_size=1, max_size=3)),
        ]
    mode = draw(st.sampled_from(("-M", "-F", "-P")))
    style = [one for one in style if one != "-p"] if not draw(rarely) else style
    if mode == "-F":
        style = [one for one in style if one != "-h"]  # 3.7 forgets a space: "pipeflags=..."
    return [mode, *style, *override, *draw(st.lists(request(), max_size=2))]


@st.composite
def edit_words(draw: st.DrawFn) -> list[str]:
    """A postconf that edits."""
    kind = draw(st.integers(0, 9))
    if kind < 3:
        how = draw(st.sampled_from((["-e"], [], ["-e"])))
        one = st.tuples(any_name, space, space, value).map(lambda t: f"{t[0]}{t[1]}={t[2]}{t[3]}")
        return [*how, *draw(st.lists(one, min_size=1, max_size=3))]
    if kind < 5:
        return [draw(st.sampled_from(("-X", "-#"))), *draw(st.lists(any_name, min_size=1, max_size=2))]
    if kind == 5:
        line = draw(master_line()).replace("\n", " ")
        return ["-Me", f"{draw(request())}={line}"]
    if kind == 6:
        return [draw(st.sampled_from(("-MX", "-M#"))), *draw(st.lists(request(), min_size=1, max_size=2))]
    if kind == 7:
        field = draw(
            st.sampled_from(
                ("service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command")
            )
        )
        new = draw(
            st.sampled_from(
                ("y", "n", "-", "10", "60?", "smtpd -o a=b", "maybe", "inet", "pipe user=x", "smtpd x { a b }")
            )
        )
        return ["-Fe", f"{draw(service_name | st.just('*'))}/{draw(service_type | st.just('*'))}/{field}={new}"]
    if kind == 8:
        return [
            "-Pe",
            f"{draw(service_name | st.just('*'))}/{draw(service_type | st.just('*'))}/{draw(names)}={draw(value)}",
        ]
    return [
        draw(st.sampled_from(("-PX", "-P#"))),
        f"{draw(service_name | st.just('*'))}/{draw(service_type)}/{draw(names)}",
    ]


@st.composite
def shown(draw: st.DrawFn) -> Case:
    """A configuration, and what postconf prints of it."""
    files = draw(configuration())
    return Case(files, [Question("postconf", words) for words in draw(st.lists(show_words(), min_size=1, max_size=4))])


@st.composite
def edited(draw: st.DrawFn) -> Case:
    """A configuration, edited and then looked at."""
    files = draw(configuration())
    files["main.cf"] += b"\n"  # 3.7 appends to a last line without an end
    changes = draw(st.lists(edit_words(), min_size=1, max_size=2))
    return Case(files, [Question("postconf", words, watch=("main.cf", "master.cf")) for words in changes])


@st.composite
def configuration(draw: st.DrawFn) -> dict[str, bytes]:
    """main.cf, master.cf and a database table's file."""
    main, master = draw(main_cf()), draw(master_cf())
    return {"main.cf": main.encode(), "master.cf": master.encode(), "ldap.cf": b"server_host = x\nbogus = y\n"}
