"""Random mails: envelopes, headers, bodies, with everything that senders get wrong."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

ADDRESSES = (
    "user@far.example", "user@test.example", "bob@test.example", "user@alias.example", "user@box.example", "bob",
    "user",
    "alice@sub.test.example", "a@test.example", "carol@relay.example", "user+x@test.example", "user+ext@far.example",
    "many@alias.example", "loop@test.example", "moved@test.example", "x@bad.example", "host!user",
    "host!user@test.example",
    "user%far.example@test.example", "user%far.example", '"quoted user"@test.example', '"a@b"@test.example',
    "user@host", "user@[127.0.0.1]", "user@test.example.", "owner-list@test.example", "list-request@test.example",
    "user-ext@test.example", "root@sub.test.example", "USER@FAR.EXAMPLE", "us..er@far.example",
)  # fmt: skip
SENDERS = (
    "from@there.example", "from@there.example", "", "user@test.example", "bob", "owner-x@test.example",
    "a@sub.test.example",
    "user+x@test.example", '"f r"@there.example', "user%x@test.example", "user@alias.example", "postmaster",
)  # fmt: skip
_WRAPPED = (
    "{}", "<{}>", "Some Body <{}>", '"Body, Some" <{}>', "(a comment) {}", "{} (Some Body)", "group: {}, {};",
    "{},{}", "{} , <{}>", "Some\n  Body\n\t<{}>", "=?utf-8?q?S=C3=B6?= <{}>", "<@a.example,@b.example:{}>",
    "undisclosed-recipients:;", "", "<>", "<{}", '"unfinished <{}>', "(unfinished {}", "{} {}", "Söme <{}>",
    "a.b.c <{}>",
    "{};{}", "group:;, {}", '"q\\"q" <{}>', "Some (deep (er)) Body <{}>", "{}\n ,\n {}", "< {} >", "<{}>, ,{}",
    "{}(c)", "[{}]", "Name<{}>", "\"x\"\"y\" <{}>", "a@b@c.example", "@far.example", "user@",
)  # fmt: skip
_ADDRESS_HEADERS = (
    "From", "To", "Cc", "Bcc", "Reply-To", "Sender", "Resent-From", "Resent-To", "Resent-Cc", "Resent-Bcc",
    "Errors-To",
    "Return-Path", "Apparently-To", "Disposition-Notification-To", "from", "TO", "Return-Receipt-To", "Resent-Sender",
    "Mail-Followup-To", "Delivered-To", "X-Original-To",
)  # fmt: skip
_OTHER_HEADERS = (
    "Subject: plain words", "Subject: reject me", "Subject: redirect me", "Subject:discard", "Subject:",
    "Subject: a\n  fold",
    "Subject: bcc", "X-One: 1", "X-Two:  two", "Date: Thu, 26 Nov 2026 10:00:00 +0000",
    "Message-Id: <given@x.example>",
    "message-id: ", "Received: from a by b; Thu, 26 Nov 2026 10:00:00 +0000", "Received: from c\n by d", "X-8: häder",
    "Content-Length: 10", "X-Long: " + "word " * 60, "X-Space : before colon", "From someone Thu Nov 26",
    "Precedence: bulk",
    "X-Empty:", "X-Nul: a\0b", "Mime-Version: 1.0", "Resent-Date: Thu, 26 Nov 2026 10:00:00 +0000", "X-Cr: a\rb",
    "Resent-Message-Id: <resent@x.example>", "Auto-Submitted: auto-replied", "X-Tab:\ttab",
    "Return-Path:<x@y.example>",
    "X-Bell: \7", "Content-Description: a part", "X-Xy: xxyyxx",
)  # fmt: skip
_BROKEN = ("no colon here", " continued first", ":", "two words: x", "\t", ">From x", "X-Ok: 1\n\tmore\n\n")
_TYPES = (
    "Content-Type: text/plain", "Content-Type: text/plain; charset=utf-8", "Content-Type: text/html",
    'Content-Type: multipart/mixed; boundary="bb"', "Content-Type: multipart/mixed; boundary=bb",
    "Content-type: message/rfc822",
    "Content-Type: multipart/mixed", "Content-Type: multipart/digest; boundary=bb", "Content-Type: message/partial",
    "Content-Type: multipart/alternative;\n boundary=bb", "Content-Type: multipart/mixed; boundary=(c)bb",
    "Content-Type: message/external-body", "Content-Type: foo", "Content-Type: message/delivery-status",
    'Content-Type: multipart/mixed; boundary="b\\b"', "Content-Type:\n\tmultipart/mixed; charset=x; boundary=bb; x=y",
)  # fmt: skip
_ENCODINGS = ("7bit", "8bit", "binary", "quoted-printable", "base64", "bogus", "8BIT", "(c) 8bit")
_LINES = (
    "plain text", "reject this", "secret line", "replace me please", "warn of it", "prepare", "drop all", "ünicode ß",
    ".", "..two", ".one", "x" * 40, "long " * 30, "From the start", "", "", "\0nul", "a\rb", "Subject: in body",
    "trail ",
    "xyxy", "\7", "z" * 1100, "Content-Type: text/html", "--bb--", "--cc", "=3D quoted", "some token",
)  # fmt: skip


class Mail(NamedTuple):
    """What a client says; `content` has LF ends, and the token somewhere."""

    sender: str
    mail_parameters: str
    recipients: list[str]
    rcpt_parameters: str
    content: str
    hello: str


def mail(random: Random, token: str) -> Mail:
    content = "\n".join([*_headers(random), f"X-Token: {token}", "", *_body(random, 0), f"end {token}"]) + "\n"
    parameters = random.choice(("", "", "", " BODY=8BITMIME", " SMTPUTF8", " RET=HDRS ENVID=e+2Bx", " BODY=7BIT"))
    rcpt = random.choice(("", "", "", " NOTIFY=FAILURE,DELAY", " ORCPT=rfc822;o+40x.example"))
    return Mail(
        random.choice(SENDERS), parameters, random.choices(ADDRESSES, k=random.randint(1, 3)), rcpt, content,
        random.choice(("EHLO", "EHLO", "EHLO", "HELO")),
    )  # fmt: skip


def _headers(random: Random) -> list[str]:
    found: list[str] = []
    for _ in range(random.randint(0, 8)):
        kind = random.random()
        if kind < 0.45:
            found.append(f"{random.choice(_ADDRESS_HEADERS)}: {_list(random)}")
        elif kind < 0.85:
            found.append(random.choice(_OTHER_HEADERS))
        elif kind < 0.97:
            found += _mime(random)
        else:
            found.append(random.choice(_BROKEN))
    return found


def _list(random: Random) -> str:
    text = random.choice(_WRAPPED)
    return text.format(*random.choices(ADDRESSES, k=text.count("{}")))


def _mime(random: Random) -> list[str]:
    found = [random.choice(_TYPES)]
    if random.random() < 0.5:
        found.append(f"Content-Transfer-Encoding: {random.choice(_ENCODINGS)}")
    if random.random() < 0.3:
        found.insert(0, "Mime-Version: 1.0")
    return found


def _body(random: Random, depth: int) -> list[str]:
    lines = random.choices(_LINES, k=random.randint(0, 5))
    for _ in range(random.randint(0, 2 - depth)):
        lines += ["--bb", *(_mime(random) if random.random() < 0.8 else []), *random.choices(_OTHER_HEADERS, k=1)]
        lines += ["", *_body(random, depth + 1)]
    if random.random() < 0.3:
        lines.append("--bb--")
    return lines
