"""What an SMTP client asked for, as values (RFC 5321, 3030, 3207, 3461, 4954, 6531, 8689; INVENTORY SD-2).

`smtp_server` gives out one of these at a time. Every event but `Body` wants exactly one reply.
"""

from __future__ import annotations

from pytwfix.mail.reply import Reply


class Event:
    """`verb` is the command in upper case, "" where there is none; `line` the command line without its line end."""

    __slots__ = ("line", "verb")

    def __init__(self, verb: str, line: bytes) -> None:
        self.verb = verb
        self.line = line


class Refused(Event):
    """The dialog's own answer: syntax, sequence, or a command it does not know. `complaint` is for the log."""

    __slots__ = ("complaint", "reply")

    def __init__(self, verb: str, line: bytes, reply: Reply, complaint: str = "") -> None:
        super().__init__(verb, line)
        self.reply = reply
        self.complaint = complaint


class Unknown(Event):
    """A verb that is in no table: `header_like` when it looks like `Name:` of a message header (SD-17)."""

    __slots__ = ("header_like",)

    def __init__(self, verb: str, line: bytes, header_like: bool) -> None:
        super().__init__(verb, line)
        self.header_like = header_like


class Helo(Event):
    """HELO or EHLO; `name` as the client gave it."""

    __slots__ = ("name",)

    def __init__(self, verb: str, line: bytes, name: bytes) -> None:
        super().__init__(verb, line)
        self.name = name


class Mail(Event):
    """MAIL FROM. `size` 0: not declared; `ret` 0: not given; `auth` None: not given; `verp` "" or the delimiters."""

    __slots__ = ("auth", "encoding", "envid", "requiretls", "ret", "sender", "size", "smtputf8", "verp", "xverp")

    def __init__(self, verb: str, line: bytes, sender: bytes) -> None:
        super().__init__(verb, line)
        self.sender = sender
        self.size = 0
        self.encoding = ""
        self.ret = 0
        self.envid = b""
        self.auth: bytes | None = None
        self.smtputf8 = False
        self.requiretls = False
        self.xverp = False
        self.verp = ""


class Rcpt(Event):
    """RCPT TO. `notify` NOTIFY bits of mail/status.py, 0: not given; `orcpt` decoded "type;address" or b"".
    `typed` is the address as the client wrote it."""

    __slots__ = ("notify", "orcpt", "recipient", "typed")

    def __init__(self, verb: str, line: bytes, recipient: bytes) -> None:
        super().__init__(verb, line)
        self.recipient = recipient
        self.typed = recipient
        self.notify = 0
        self.orcpt = b""


class Data(Event):
    """DATA: answer 354 and the body follows."""

    __slots__ = ()


class Body(Event):
    """A piece of the mail's content: CRLF line ends, not dot-stuffed. Wants no reply. `tidy`: no CR stands alone."""

    __slots__ = ("data", "tidy")

    def __init__(self, data: bytes, tidy: bool = False) -> None:
        super().__init__("", b"")
        self.data = data
        self.tidy = tidy


class Bdat(Event):
    """BDAT begins, and its bytes wait: `accept_chunk` lets them through as `Body`, `refuse_chunk` skips them."""

    __slots__ = ("last", "size")

    def __init__(self, verb: str, line: bytes, size: int, last: bool) -> None:
        super().__init__(verb, line)
        self.size = size
        self.last = last


class EndOfData(Event):
    """The body is complete (`last`), or one chunk of it. `bare_lf`: a LF without CR was seen (SD-19)."""

    __slots__ = ("bare_lf", "last")

    def __init__(self, verb: str, last: bool, bare_lf: bool) -> None:
        super().__init__(verb, b"")
        self.last = last
        self.bare_lf = bare_lf


class Rset(Event):
    __slots__ = ()


class Noop(Event):
    __slots__ = ()


class Quit(Event):
    __slots__ = ()


class Help(Event):
    __slots__ = ()


class StartTls(Event):
    """STARTTLS: after 220 what the client had sent ahead is dropped (OB-6)."""

    __slots__ = ()


class Auth(Event):
    """AUTH; `arguments` as they came."""

    __slots__ = ("arguments",)

    def __init__(self, verb: str, line: bytes, arguments: list[bytes]) -> None:
        super().__init__(verb, line)
        self.arguments = arguments


class Response(Event):
    """What follows a 334: the client's answer to a SASL challenge. `too_long`: it is cut off (SD-41)."""

    __slots__ = ("too_long",)

    def __init__(self, line: bytes, too_long: bool = False) -> None:
        super().__init__("", line)
        self.too_long = too_long


class Vrfy(Event):
    """VRFY; `text` the argument, `recipient` its address in internal form."""

    __slots__ = ("recipient", "smtputf8", "text")

    def __init__(self, verb: str, line: bytes, text: bytes, recipient: bytes, smtputf8: bool) -> None:
        super().__init__(verb, line)
        self.text = text
        self.recipient = recipient
        self.smtputf8 = smtputf8


class Etrn(Event):
    """ETRN; `domain` without # or @."""

    __slots__ = ("domain",)

    def __init__(self, verb: str, line: bytes, domain: bytes) -> None:
        super().__init__(verb, line)
        self.domain = domain


class Attributes(Event):
    """XCLIENT or XFORWARD with its attributes, names in upper case, values decoded (SD-43, SD-44)."""

    __slots__ = ("values",)

    def __init__(self, verb: str, line: bytes, values: dict[str, str]) -> None:
        super().__init__(verb, line)
        self.values = values


class ClosedByPolicy(Event):
    """A rule of the dialog was broken and the connection ends: `what` is "bare_lf" or "pipelining"."""

    __slots__ = ("reply", "what")

    def __init__(self, verb: str, line: bytes, what: str, reply: Reply) -> None:
        super().__init__(verb, line)
        self.what = what
        self.reply = reply


class RawLine(Event):
    """A command line before it is understood; answer with `replace_line`. Only under `filter_commands` (SD-51)."""

    __slots__ = ()
