"""From a mail as sendmail(1) reads it to the records of a maildrop file (INVENTORY SE-1, SE-2, RF-3, CL-12). Light."""

from __future__ import annotations

from pytwfix.accept.pickup import records
from pytwfix.mail.addresslist import parse
from pytwfix.mail.firstlines import from_mailbox
from pytwfix.mail.quoting import external_form

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.commands.sendmailoptions import Options

_TOKENS = 1 << 20
_PLAIN = (b"to", b"cc", b"bcc")
_RESENT = (b"resent-to", b"resent-cc", b"resent-bcc")
_VERIFY, _RECORD = 512, 1024  # TRACE_VERIFY_ONLY, TRACE_RECORD of mail/envelope.py, which is heavier
_SMTPUTF8, _REQUIRETLS = 1, 32  # SMTPUTF8_REQUESTED, REQUIRETLS_ESMTP


def recipients(words: list[bytes]) -> list[bytes]:
    """The addresses of a command line, in internal form. Nothing, or <>, is the empty address: the postmaster's."""
    found: list[bytes] = []
    for word in words:
        found += [b""] if word.strip() in (b"", b"<>") else addresses(word)
    return found


def addresses(text: bytes) -> list[bytes]:
    """The addresses of a list as headers and command lines have it, in internal form."""
    return [element.address for element in parse(text, _TOKENS) if element.address]


def probe(sender: bytes, recipients: list[bytes]) -> list[bytes]:
    """The mail of sendmail -bv, which asks what would become of one: its header alone (DS-3)."""
    people = b",\n\t".join(map(external_form, recipients)).split(b"\n")
    people[0] = b"To:\t" + people[0]
    return [b"From: " + (external_form(sender) or b"MAILER-DAEMON"), b"Subject: probe", *people]


def read_lines(data: bytes, dots: bool, endings: str) -> list[bytes]:
    """The lines of standard input without line ends. `endings` is sendmail_fix_line_endings."""
    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    strip = endings == "always" or (endings == "strict" and bool(lines) and lines[0].endswith(b"\r"))
    if strip and b"\r" in data:
        lines = [line[:-1] if line.endswith(b"\r") else line for line in lines]
    if not dots and b"." in lines:
        del lines[lines.index(b".") :]
    at = 0
    while at < len(lines) and from_mailbox(lines[at]):
        at += 1
    return [b"", *lines[at:]] if lines[at : at + 1] and lines[at][:1] in (b" ", b"\t") else lines[at:]


def extract(lines: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """(the lines, the recipients that their header names), as -t asks.

    The recipients are those of Resent- headers if there are any, else of To, Cc and Bcc. Where a line that can be in no
    header ends it, an empty one is put in front of that line.
    """
    fields, at = _fields(lines)
    ended = at < len(lines) and bool(lines[at])
    return [*lines[:at], b"", *lines[at:]] if ended else lines, _named_in(fields)


def _named_in(fields: list[tuple[bytes, bytes]]) -> list[bytes]:
    found: dict[bytes, list[bytes]] = {}
    resent = False
    for name, text in fields:
        found.setdefault(name, []).append(text)
        resent = resent or name.startswith(b"resent-")
    out: list[bytes] = []
    for name in _RESENT if resent else _PLAIN:
        for text in found.get(name, ()):
            out += addresses(text)
    return out


def _fields(lines: list[bytes]) -> tuple[list[tuple[bytes, bytes]], int]:
    """(names and texts, the number of lines that they take)."""
    fields: list[tuple[bytes, bytes]] = []
    for at, line in enumerate(lines):
        if line[:1] in (b" ", b"\t") and fields:
            name, text = fields[-1]
            fields[-1] = (name, text + line)
            continue
        name, colon, text = line.partition(b":")
        name = name.rstrip(b" \t")
        if not colon or not name or b" " in name or b"\t" in name:
            return fields, at
        fields.append((name.lower(), text))
    return fields, len(lines)


def compose(
    options: Options, sender: bytes, full_name: bytes, given: list[bytes], extracted: list[bytes], lines: list[bytes]
) -> bytes:
    """The records of one mail."""
    out: list[bytes] = []
    _options(options, out)
    if full_name:
        out.append(records.record(records.FULLNAME, full_name))
    out.append(records.record(records.SENDER, sender))
    _flags(options, out)
    _recipients(options, given, out)
    out.append(records.record(records.CONTENT, b""))
    out.append(records.lines(lines))
    out.append(records.record(records.EXTRACTED, b""))
    _recipients(options, extracted, out)
    out.append(records.record(records.END, b""))
    return b"".join(out)


def _options(options: Options, out: list[bytes]) -> None:
    if options.envid:
        out.append(records.attribute("envelope_id", options.envid.encode("utf-8", "surrogateescape")))
    if options.ret:
        out.append(records.attribute("ret_flags", b"%d" % options.ret))
    out.append(records.attribute("rewrite_context", b"remote" if options.gateway else b"local"))


def _flags(options: Options, out: list[bytes]) -> None:
    if options.encoding:
        out.append(records.attribute("encoding", options.encoding.encode()))
    trace = _VERIFY if options.mode == "v" else _RECORD if options.verbose == 1 else 0
    if trace:
        out.append(records.attribute("trace_flags", b"%d" % trace))
    wanted = _SMTPUTF8 * options.smtputf8 | _REQUIRETLS * options.requiretls
    if wanted:
        out.append(records.attribute("sendopts", b"%d" % wanted))
    if options.verp is not None:
        out.append(records.record(records.VERP, options.verp.encode()))


def _recipients(options: Options, found: list[bytes], out: list[bytes]) -> None:
    for address in found:
        if options.notify:
            out.append(records.attribute("notify_flags", b"%d" % options.notify))
        out.append(records.record(records.RECIPIENT, address))


def shown(address: bytes) -> str:
    """An address for people."""
    return external_form(address).decode("utf-8", "replace")
