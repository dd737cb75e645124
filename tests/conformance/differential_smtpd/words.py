"""What clients say: names, addresses, commands; and dialogs made of them."""

from __future__ import annotations

from random import Random

CLIENTS = ["mail.client.example", "a.b.c.example", "[UNAVAILABLE]", "[TEMPUNAVAIL]", "host.test.example"]
ADDRESSES = ["192.0.2.1", "192.0.2.200", "198.51.100.7", "203.0.113.9"]
HELOS = [
    "mail.client.example",
    "client",
    "[192.0.2.1]",
    "[bad",
    "a_b.example",
    "x..y",
    "1.2.3.4",
    "mx.test.example",
    "-a.b",
]
SENDERS = [
    "",
    "a@client.example",
    "bob@test.example",
    "nobody@test.example",
    "eve@box.example",
    "x@sub.client.example",
    "user+ext@client.example",
    "local",
    "x@nodots",
    "who@alias.example",
    '"q s"@client.example',
    "joe@relay.example",
]
RECIPIENTS = [
    "bob@test.example",
    "bob+x@test.example",
    "nobody@test.example",
    "joe@relay.example",
    "no@relay.example",
    "ana@alias.example",
    "no@alias.example",
    "eve@box.example",
    "no@box.example",
    "x@remote.example",
    "postmaster",
    "bob",
    "x%remote.example@test.example",
    "x@remote.example@test.example",
    "@test.example:bob@test.example",
    "dan+list",
    "x!y@test.example",
    "bob@[127.0.0.1]",
    "x@nodots",
    "BOB@TEST.EXAMPLE",
    "joe@sub.relay.example",
    '"bob"@test.example',
]
KEYS = sorted(
    {
        *(name for name in CLIENTS if "[" not in name),
        *ADDRESSES,
        "192.0.2",
        "198.51",
        "client.example",
        ".client.example",
        "c.example",
        ".c.example",
        "example",
        ".example",
        *(one for one in SENDERS + RECIPIENTS if one and " " not in one),
        "<>",
        "null",
        "bob@",
        "user@",
        "a@",
        "user@client.example",
        "test.example",
        "relay.example",
        "unknown",
        "client",
        "x@",
        "user+ext@",
    }
)
PATTERNS = ["/^a@/", "/example$/", "/bob/", "/^<>$/", "/client/i", "/^192\\./", "/./", "/nobody|no@/", "/^unknown$/"]
_ODD = [
    "NOOP",
    "NOOP x",
    "RSET",
    "RSET x",
    "HELP",
    "FOO",
    "XFOO bar",
    "VRFY bob@test.example",
    "VRFY nobody",
    "VRFY",
    "QUIT x",
    "ETRN relay.example",
    "ETRN other.example",
    "ETRN",
    "ETRN @relay.example",
    "ETRN bad_!name",
    "DATA",
    "DATA x",
    "BDAT",
    "MAIL",
    "MAIL FROM",
    "MAIL FROM:",
    "MAIL FROM:<",
    "RCPT TO:<>",
    "RCPT",
    "RCPT TO:bob@test.example",
    "STARTTLS",
    "AUTH PLAIN",
    "MAIL FROM:<a@client.example",
    "MAIL FROM: <a@client.example>",
    "RCPT TO:<bob@test.example> x=y",
    "MAIL TO:<x@y.example>",
    "EHLO",
    "HELO",
    "XFORWARD NAME=x",
    "Subject: x",
    "rcpt to:<bob@test.example>",
    "BDAT x",
    "MAIL FROM:<a b@client.example>",
    'RCPT TO:<"a b"@test.example>',
    "MAIL FROM:<a@client.example> SIZE=99999999999",
]
_MAIL_OPTIONS = [
    "SIZE=100",
    "SIZE=2000",
    "SIZE=x",
    "BODY=8BITMIME",
    "BODY=7BIT",
    "BODY=x",
    "RET=FULL",
    "RET=x",
    "ENVID=abc",
    "FOO=bar",
    "SMTPUTF8",
    "XVERP",
    "RET=HDRS RET=FULL",
    "ENVID=",
]
_RCPT_OPTIONS = [
    "NOTIFY=NEVER",
    "NOTIFY=SUCCESS,DELAY",
    "NOTIFY=x",
    "ORCPT=rfc822;x@y",
    "ORCPT=x",
    "NOTIFY=NEVER,DELAY",
]
_TEXT = [
    "Subject: x\r\n\r\nhello",
    "From: a@b\r\n\r\n..x\r\n.y",
    "X: y",
    "",
    "Subject: big\r\n\r\n" + "x" * 70 + "\r\n",
]


def session(random: Random) -> list[str]:
    """The lines of one client, each sent after the reply to the last. What begins with a line end is content."""
    lines = [_xclient(random)] if random.random() < 0.85 else []
    lines += [_hello(random)] if random.random() < 0.93 else []
    for _ in range(random.randint(1, 2)):
        lines += _mail(random)
    return [*lines, "QUIT"]


def _xclient(random: Random) -> str:
    name = random.choice(CLIENTS)
    words = [f"ADDR={random.choice(ADDRESSES)}", f"NAME={name}"]
    if random.random() < 0.5:
        words.append(f"REVERSE_NAME={random.choice(CLIENTS)}")
    return "XCLIENT " + " ".join(words)


def _hello(random: Random) -> str:
    return f"{random.choice(('EHLO', 'EHLO', 'HELO'))} {random.choice(HELOS)}"


def _mail(random: Random) -> list[str]:
    lines = [_odd(random)] if random.random() < 0.25 else []
    option = f" {random.choice(_MAIL_OPTIONS)}" if random.random() < 0.2 else ""
    lines.append(f"MAIL FROM:<{random.choice(SENDERS)}>{option}")
    for _ in range(random.randint(1, 4)):
        if random.random() < 0.1:
            lines.append(_odd(random))
        option = f" {random.choice(_RCPT_OPTIONS)}" if random.random() < 0.15 else ""
        lines.append(f"RCPT TO:<{random.choice(RECIPIENTS)}>{option}")
    end = random.random()
    if end < 0.55:
        lines += ["DATA", "\r\n" + random.choice(_TEXT)]
    elif end < 0.75:
        text = random.choice(_TEXT) * random.choice((1, 20))
        lines.append(f"BDAT {len(text)}{random.choice((' LAST', ' LAST', ''))}\r\n{text}")
    elif end < 0.85:
        lines.append("RSET")
    return lines


def _odd(random: Random) -> str:
    return random.choice(_ODD)
