"""Random aliases, lists, .forward files, mailboxes, commands and pipes; and mails for them."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from tests.conformance.differential_mail.mails import Mail

MAIN = {
    "mydestination": "test.example, mail.test.example",
    "virtual_mailbox_domains": "box.example",
    "virtual_mailbox_base": "@DIR@/virtual",
    "virtual_mailbox_maps": "texthash:@CONFIG@/mailboxes",
    "virtual_uid_maps": "texthash:@CONFIG@/uids",
    "virtual_gid_maps": "static:65534",
    "transport_maps": "texthash:@CONFIG@/transport",
    "local_recipient_maps": "",
    "alias_maps": "texthash:@CONFIG@/aliases",
    "mail_spool_directory": "@DIR@/boxes/",
    "default_privs": "nobody",
    "allow_mail_to_commands": "alias, forward, include",
    "allow_mail_to_files": "alias, forward, include",
    "forward_path": "@DIR@/forwards/${user}${recipient_delimiter}${extension}, @DIR@/forwards/${user}",
    "smtpd_recipient_restrictions": "permit_mynetworks, reject",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_reject_unlisted_recipient": "no",
    "notify_classes": "",
    "smtpd_error_sleep_time": "0",
    "smtpd_hard_error_limit": "1000",
    "smtpd_client_connection_count_limit": "0",
    "smtp_connection_cache_on_demand": "no",
    "enable_long_queue_ids": "no",
    "minimal_backoff_time": "4000s",
    "transport_retry_time": "4000s",
    "pipe0_destination_recipient_limit": "1", "pipe1_destination_recipient_limit": "1",
    "pipe2_destination_recipient_limit": "1",
    "command_time_limit": "3s",
    "deliver_lock_attempts": "2",
    "local_command_shell": "",
}  # fmt: skip
# Accounts of the base system that own nothing and log in nowhere.
USERS = ("games", "irc", "list", "news")
_NAMES = (*USERS, "one", "two", "three", "club", "loop", "ring", "deep", "nosuch", "joe user", "postmaster", "self")


class File(NamedTuple):
    """Below the system's own directory."""

    name: str
    text: str
    mode: int = 0o644
    owner: str = "root"


SCRIPTS = {
    "dump": """#!/bin/sh
out=$(mktemp @DIR@/files/command.XXXXXX) || exit 75
{ echo "uid=$(id -u) gid=$(id -g) groups=$(id -G) umask=$(umask) cwd=$(pwd)"
for arg; do echo "arg <$arg>"; done
env | LC_ALL=C sort | grep -v '^\\(ENVID\\|_\\|PWD\\|OLDPWD\\|SHLVL\\)='; cat; } >"$out"
""",
    "exit": """#!/bin/sh
cat >/dev/null
[ -n "$2" ] && echo "$2"
exit $1
""",
    "die": "#!/bin/sh\nkill -$1 $$\n",
    "deaf": "#!/bin/sh\nexit ${1:-0}\n",
    "slow": "#!/bin/sh\ncat >/dev/null\nsleep 20\n",
    "both": "#!/bin/sh\ncat >/dev/null\necho out\necho err >&2\necho 'last line' >&2\nexit 69\n",
}
_COMMANDS = (
    "@DIR@/dump", "@DIR@/dump one two", "@DIR@/dump 'one two' $USER", "@DIR@/exit 67", "@DIR@/exit 75 later",
    "@DIR@/exit 1", "@DIR@/exit 0 fine", "@DIR@/exit 70 '5.2.2 is full'", "@DIR@/exit 69 '4.3.9 not now'",
    "@DIR@/exit 77 'a b'", "@DIR@/die 9", "@DIR@/die 15", "@DIR@/deaf", "@DIR@/deaf 65", "@DIR@/both",
    "@DIR@/nosuch", "nosuchprogram x", "@DIR@/files", "exit 67", "cat >/dev/null; exit 78", "@DIR@/exit 200",
    "@DIR@/dump ${EXTENSION} \\\"q\\\"", "@DIR@/exit 73 'X.1.1 odd'", "",
    "@DIR@/exit 64 '2.0.0 fine'", "@DIR@/dump <$SENDER>", "exec @DIR@/dump",
)  # fmt: skip
_PATHS = (
    "@DIR@/files/box", "@DIR@/files/folder/", "@DIR@/files/new/", "@DIR@/files/box2", "/dev/null", "@DIR@/files",
    "@DIR@/nowhere/box", "/etc/passwd", "@DIR@/files/a b", "@DIR@/homes/box", "@DIR@/files/x/y/",
)  # fmt: skip
_INCLUDES = ("@DIR@/include/a", "@DIR@/include/b", "@DIR@/include/none", "a", "@DIR@/include")


def item(random: Random) -> str:
    """One of an alias's or a .forward's."""
    kind = random.random()
    if kind < 0.30:
        name = random.choice(_NAMES)
        return random.choice((name, name, f"{name}+ext", f"\\{name}", name.upper(), f"{name}@test.example"))
    if kind < 0.45:
        return random.choice((
            "away@far.example", "away@far.example", "a@far.example, b@far.example", "Some Body <away@far.example>",
            "away@far.example (comment)", "(comment) games", "<irc>", '"joe user"@far.example', '"joe user"',
            "user%far.example", "host!user", "user@box.example", "@far.example", "group: games, irc;", "games irc",
            "games;irc", '"games', "user@", "<>", '""', "games,,irc", "dump@p0.example", "bob@mail.test.example",
            "perm-x@far.example", "temp-x@far.example", "away@far.example away2@far.example", "-dash",
            "a b@far.example",
        ))  # fmt: skip
    if kind < 0.65:
        command = random.choice(_COMMANDS)
        return random.choice((f'"|{command}"', f'"|{command}"', f"|{command}".replace('"', ""), f'|"{command}"'))
    if kind < 0.82:
        path = random.choice(_PATHS)
        return f'"{path}"' if " " in path or random.random() < 0.3 else path
    path = random.choice(_INCLUDES)
    return random.choice((f":include:{path}", f'":include:{path}"', f":INCLUDE:{path}"))


def _items(random: Random) -> str:
    return ", ".join(item(random) for _ in range(random.choice((1, 1, 1, 2, 2, 3))))


def _aliases(random: Random) -> str:
    keys = ["one", "two", "three", "club", "deep", *random.sample(("owner-club", "games", "irc+ext", "owner-one",
            "list", "postmaster", "one+ext", "owner-two", "club-request", "news", "bob@test.example"), 4)]  # fmt: skip
    lines = [f"{key}\t{_items(random)}\n" for key in keys]
    more = ("loop\tring\nring\tloop\n", "self\tself\n", "self\t\\self, games\n", "", "nothing\t#\n")
    return "".join(lines) + random.choice(more)


def tables(random: Random) -> dict[str, str]:
    boxes = (
        "user/", "user", "sub/dir/user/", "../outside", "a b/", "/abs/", "new", "games/", "x/../y", "./user/", "",
    )
    uids = ("65534", "5", "0", "50", "abc", "", "-1", "100000", "99")
    return {
        "aliases": _aliases(random),
        "aliases2": _aliases(random),
        "mailboxes": "".join(
            f"{key}\t{random.choice(boxes)}\n"
            for key in (*(f"{name}@box.example" for name in ("user", "bob", "games", "us+x")), "@other.example")
        ),
        "uids": f"user@box.example\t{random.choice(uids)}\ngames@box.example\t{random.choice(uids)}\n@box.example 39\n",
        "transport": "".join(f"p{n}.example\tpipe{n}:\nq{n}.example\tpipe{n}:next.example\n" for n in range(3))
        + "virt.example\tvirtual:\nloc.example\tlocal:$myhostname\n",
        "commands": f"games\t{random.choice(_COMMANDS) or 'x'}\nirc@test.example\t{random.choice(_COMMANDS) or 'x'}\n",
        "transports": "games\tpipe0:\nirc@test.example\terror:no irc\nlist\tdiscard:\nnews\tpipe1:\n",
        "fallbacks": "nosuch\tdiscard:fell\nother@test.example\tpipe1:x\n",
    }  # fmt: skip


def files(random: Random) -> list[File]:
    """Lists and .forward files, some of them not as they should be."""
    found = [
        File("include/a", _list(random)), File("include/b", _list(random), owner=random.choice(USERS)),
        File("homes/box", ""),
    ]  # fmt: skip
    for name in random.sample(USERS, random.randint(0, 4)):
        mode = random.choice((0o644, 0o644, 0o600, 0o666, 0o664, 0o000))
        owner = random.choice((name, name, name, "root", "uucp"))
        text = random.choice(("", "\n", "# nothing\n", *[_list(random) for _ in range(12)]))
        found.append(File(f"forwards/{name}{random.choice(('', '', '', '+ext'))}", text, mode, owner))
    return found


def _list(random: Random) -> str:
    lines = [_items(random) for _ in range(random.randint(1, 3))]
    lines.insert(0, random.choice(("", "# comment", "  ", "games # and more", " irc")))
    return "\n".join(lines) + random.choice(("\n", ""))


_LUSER = (
    "", "unknown+$local@far.example", "games", "$user@other.example", "@DIR@/files/luser",
    "${extension?x}@far.example",
)  # fmt: skip
_BOX = ("discard:box", "pipe0:", "lmtp:unix:@DIR@/nosuch", "error:5.2.0 no boxes", "smtp:", "virtual:")
_OPTIONS: dict[str, tuple[str, ...]] = {
    "alias_maps": (
        "texthash:@CONFIG@/aliases, texthash:@CONFIG@/aliases2", "", "inline:{one=irc}, texthash:@CONFIG@/aliases",
        "texthash:@CONFIG@/nosuch",
    ),
    "mail_spool_directory": ("@DIR@/boxes", "@DIR@/nosuch", "@DIR@/boxes/"),
    "home_mailbox": ("Mailbox", "Maildir/", "", "a/b"),
    "mailbox_command": ("", *_COMMANDS),
    "mailbox_command_maps": ("texthash:@CONFIG@/commands",),
    "mailbox_transport": ("", *_BOX),
    "mailbox_transport_maps": ("texthash:@CONFIG@/transports",),
    "fallback_transport": ("", *_BOX),
    "fallback_transport_maps": ("texthash:@CONFIG@/fallbacks",),
    "luser_relay": _LUSER,
    "recipient_delimiter": ("", "+", "+-", "-"),
    "propagate_unmatched_extensions": (
        "canonical, virtual", "", "alias, forward, include, canonical, virtual", "include",
    ),
    "reset_owner_alias": ("yes", "no"),
    "owner_request_special": ("no", "yes"),
    "prepend_delivered_header": ("command, file, forward", "", "forward", "command", "file"),
    "require_home_directory": ("yes", "no"),
    "mailbox_size_limit": ("0", "51200000"),
    "allow_mail_to_commands": ("alias, forward", "", "include", "forward"),
    "allow_mail_to_files": ("alias, forward", "", "include", "alias"),
    "default_privs": ("nobody", "games"),
    "local_command_shell": ("", "/bin/sh -c", "@DIR@/dump", "/nosuch/shell"),
    "command_execution_directory": ("", "$home", "@DIR@/files", "@DIR@/nosuch", "${extension}"),
    "forward_path": (
        "@DIR@/forwards/$user", "", "@DIR@/forwards/${extension}, @DIR@/forwards/${local}", "$home/.forward",
        "@DIR@/forwards/${user}${extension?+$extension}",
    ),
    "strict_mailbox_ownership": ("yes", "no"),
    "soft_bounce": ("yes", "no"),
    "enable_original_recipient": ("yes", "no"),
    "frozen_delivered_to": ("yes", "no"),
    "local_destination_recipient_limit": ("1", "10"),
    "duplicate_filter_limit": ("1000", "1", "0"),
    "export_environment": ("TZ LANG", "TZ=UTC X=y", "HOME=x"),
    "local_delivery_status_filter": (
        "", "inline:{{5.1.1 unknown user: \"nosuch\"=4.1.1 not yet}}", "pcre:@CONFIG@/nosuch",
    ),
    "virtual_mailbox_limit": ("0", "51200000"),
    "virtual_minimum_uid": ("100", "1"),
    "virtual_mailbox_base": ("@DIR@/virtual", "@DIR@/nosuch", "@DIR@/virtual/"),
    "virtual_gid_maps": ("static:65534", "static:x", "static:0", ""),
    "virtual_transport": ("virtual",),
    "pipe1_destination_recipient_limit": ("1", "50"),
    "allow_min_user": ("no", "yes"),
    "swap_bangpath": ("yes", "no"),
    "myorigin": ("test.example", "mail.test.example"),
    "hopcount_limit": ("50",),
    "biff": ("no", "yes"),
    "header_address_token_limit": ("10240",),
    "local_header_rewrite_clients": ("permit_inet_interfaces",),
    "default_recipient_limit": ("20000",),
    "append_dot_mydomain": ("no", "yes"),
    "sun_mailtool_compatibility": ("no",),
    "mailbox_delivery_lock": ("fcntl", "dotlock", "fcntl, dotlock", "flock"),
    "virtual_mailbox_lock": ("fcntl", "dotlock", "flock"),
    "undisclosed_recipients_header": ("",),
    "command_expansion_filter": ("abcdefghijklmnopqrstuvwxyz0123456789@.",),
    "execution_directory_expansion_filter": ("abcdefghijklmnopqrstuvwxyz",),
    "forward_expansion_filter": ("abcdefghijklmnopqrstuvwxyz/",),
}  # fmt: skip


def settings(random: Random) -> dict[str, str]:
    """Parameters of one world."""
    names = random.sample(sorted(_OPTIONS), random.randint(2, 12))
    return {**MAIN, **{name: random.choice(_OPTIONS[name]) for name in names}}


_FLAGS = (
    "", "flags=F", "flags=DRhu", "flags=BDFORXhqu.>", "flags=R", "flags=q", "flags=O", "flags=X", "flags=.>",
    "flags=hu",
)  # fmt: skip
_ARGS = (
    "${recipient}", "$recipient", "${sender}", "-f ${sender} -- ${recipient}",
    "${user} ${extension} ${mailbox} ${domain}",
    "${nexthop} ${size} ${queue_id}", "${original_recipient}", "$$x", "{a b} c", "${client_address} ${client_hostname}",
    "x${recipient}y", "${sasl_method}${sasl_username}", "${client_protocol} ${client_helo}", "$(user)", "",
    "{${user} of ${domain}}", "${sender}${recipient}",
)  # fmt: skip
_PROGRAMS = ("@DIR@/dump",) * 6 + (
    "@DIR@/exit 67", "@DIR@/exit 75", "@DIR@/exit 70 {5.2.2 full}", "@DIR@/die 9", "@DIR@/deaf", "@DIR@/nosuch",
    "@DIR@/both", "@DIR@/exit 1", "@DIR@/exit 0", "@DIR@/exit 99 {4.1.1 x}",
)  # fmt: skip
_MORE = ("", "", "", "eol=\\r\\n", "null_sender=", "null_sender=nobody", "size=700", "directory=@DIR@/files", "eol=\\n")
_PRIVILEGES = ("nobody", "games", "nobody:games", "irc")


def services(random: Random) -> list[str]:
    """Three pipes."""
    found = []
    for number in range(3):
        program = random.choice(_PROGRAMS)
        flags = random.choice(_FLAGS if number != 1 else ("", "flags=F", "flags=Rq", "flags=hu.>", "flags=BX"))
        args = random.choice(_ARGS) if "dump" in program else ""
        found.append(
            f"pipe{number} unix - n n - - pipe {flags} user={random.choice(_PRIVILEGES)} "
            f"{random.choice(_MORE)} argv={program} {args}"
        )
    return found


_SENDERS = (
    "from@there.example", "from@there.example", "", "games@test.example", '"f r"@there.example',
    "owner-one@test.example",
)  # fmt: skip
_LINES = (
    "hello", "From me", ">From me", ".", "..x", "", "Subject: x", "ünicode", "x" * 1200, "trail ", "a\rb", "\0nul",
    "\tx",
)  # fmt: skip
_HEADERS = (
    "Delivered-To: games@test.example", "Delivered-To: one@test.example", "Return-Path: <x@y.example>",
    "X-Original-To: x@y.example", "From: a@b.example", "To: undisclosed-recipients:;", "From someone Thu Nov 26",
    "Delivered-To: user@box.example", "Delivered-To: dump@p0.example", "Resent-From: x@y.example",
    "Errors-To: e@x.example",
    "Delivered-To: GAMES@Test.Example", "Delivered-To:  one@test.example ", "Precedence: list",
)  # fmt: skip


def mail(random: Random, token: str) -> Mail:
    recipients = [_recipient(random) for _ in range(random.choice((1, 1, 1, 1, 2, 3)))]
    headers = random.choices(_HEADERS, k=random.choice((0, 0, 0, 0, 1, 2)))
    content = "\n".join([*headers, f"Subject: {token}", "", token, *random.choices(_LINES, k=random.randint(0, 3))])
    parameters = random.choice(("", "", "", "", " ENVID=e+2Bx RET=HDRS", " BODY=8BITMIME"))
    rcpt = random.choice(("", "", "", " NOTIFY=FAILURE", " ORCPT=rfc822;o@x.example", " NOTIFY=SUCCESS"))
    return Mail(random.choice(_SENDERS), parameters, recipients, rcpt, content + "\n", "EHLO")


def _recipient(random: Random) -> str:
    kind = random.random()
    if kind < 0.6:
        name = random.choice((
            *_NAMES, "one", "two", "three", "club", "deep", "list-owner", "owner-club", "other", "x/y",
        ))  # fmt: skip
        local = random.choice((name, name, f"{name}+ext", name.upper(), f"{name}-ext", f"{name}+Ext.x"))
        return f"{_quoted(local)}@{random.choice(('test.example', 'test.example', 'mail.test.example'))}"
    if kind < 0.75:
        return random.choice(("user", "bob", "games", "us+x", "user+ext", "nosuch", "USER")) + "@box.example"
    if kind < 0.95:
        local = random.choice(("dump", "a.b", "User+Ext", '"a b"', "x+y+z", "-f", "a&b", "$x", '"a\\"b"'))
        return f"{local}@{random.choice('pq')}{random.randrange(3)}.example"
    return random.choice((
        "games@virt.example", "games@loc.example", "x@virt.example", "|cmd@test.example", "/tmp/x@test.example",
    ))  # fmt: skip


def _quoted(local: str) -> str:
    return f'"{local}"' if " " in local else local
