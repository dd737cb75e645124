"""The texts of notices: built-in ones, and those of bounce_template_file (DS-2). Pure; raises TemplateError.

A file has `failure_template = <<EOF`, lines, `EOF`; the same for delay, success and verify. A template begins with
headers (Charset, From, Subject, Postmaster-Subject), and goes on with text in which `$name` is a parameter, and
`$delay_warning_time_hours` a parameter in another unit. A template with an error is ignored with a warning.
"""

from __future__ import annotations

from pytwfix.basics.durations import SECONDS
from pytwfix.basics.macros import MacroError, expand
from pytwfix.settings import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.settings.snapshot import Snapshot

UNITS = {"seconds": "s", "minutes": "m", "hours": "h", "days": "d", "weeks": "w"}
TIMES = ("bounce_queue_lifetime", "delay_warning_time", "maximal_queue_lifetime")
EXCESSIVE = 1000
LABELS = ("charset", "from", "subject", "postmaster-subject")


class TemplateError(Exception):
    """The file as a whole, or a name in a text, cannot be used."""


class Template:
    """One notice. `postmaster_subject` is "" for notices that the postmaster gets no copy of."""

    __slots__ = ("charset", "kind", "lines", "origin", "postmaster_subject", "sender", "subject")

    def __init__(self, kind: str, subject: str, postmaster_subject: str, lines: list[str]) -> None:
        self.kind = kind
        self.charset = "us-ascii"
        self.sender = "Mail Delivery System <MAILER-DAEMON>"
        self.subject = subject
        self.postmaster_subject = postmaster_subject
        self.lines = lines
        self.origin = "[built-in]"

    def source(self) -> str:
        """The template as a file would have it."""
        head = [f"Charset: {self.charset}", f"From: {self.sender}", f"Subject: {self.subject}"]
        if self.postmaster_subject:
            head.append(f"Postmaster-Subject: {self.postmaster_subject}")
        return "".join(line + "\n" for line in [f"{self.kind}_template = <<EOF", *head, "", *self.lines, "EOF"])

    def expanded(self, snapshot: Snapshot, warn: Callable[[str], object]) -> list[str]:
        """The lines of the text with their names expanded; TemplateError for a name that nobody knows."""
        return [self.expanded_line(line, snapshot, warn) for line in self.lines]

    def expanded_line(self, line: str, snapshot: Snapshot, warn: Callable[[str], object]) -> str:
        """One line, or a subject."""
        unknown: list[str] = []

        def lookup(name: str) -> str | None:
            parameter, _underscore, unit = name.rpartition("_")
            if unit in UNITS and parameter in TIMES:
                return str(self._converted(name, parameter, unit, snapshot, warn))
            value = snapshot.get(name)
            return value if value is None or "$" not in value else snapshot.expand(value)

        try:
            text = expand(line, lookup, undefined=unknown.append)
        except MacroError as error:
            raise TemplateError(str(error)) from error
        if unknown:
            raise TemplateError(f"{self.origin}: undefined $name in {self.kind} template: {line}")
        return text

    def _converted(
        self, name: str, parameter: str, unit: str, snapshot: Snapshot, warn: Callable[[str], object]
    ) -> int:
        seconds = _seconds(parameter, snapshot)
        result = seconds // SECONDS[UNITS[unit]]
        if result >= EXCESSIVE or (seconds and not result):
            what, advice = (f'excessive result "{result}"', "increase") if result else ("zero result", "reduce")
            warn(f'{self.origin}: {what} in {self.kind} template conversion of parameter "{name}"')
            warn(f'please {advice} time unit "{unit}" of "{name}" in {self.kind} template')
            warn("for instructions see the bounce(5) manual")
        return result


def _seconds(parameter: str, snapshot: Snapshot) -> int:
    """A time that may belong to another room: read by its declaration."""
    declared = registry.find(parameter)
    if declared is None:
        raise TemplateError(f"unknown parameter: {parameter}")
    return int(declared.value(snapshot.get(parameter) or "", snapshot.expand))


class Templates:
    """All four, and what was wrong with the file."""

    __slots__ = ("delay", "failure", "success", "verify", "warnings")

    def __init__(self) -> None:
        self.failure = Template(
            "failure", "Undelivered Mail Returned to Sender", "Postmaster Copy: Undelivered Mail", _FAILURE
        )
        self.delay = Template("delay", "Delayed Mail (still being retried)", "Postmaster Warning: Delayed Mail", _DELAY)
        self.success = Template("success", "Successful Mail Delivery Report", "", _SUCCESS)
        self.verify = Template("verify", "Mail Delivery Status Report", "", _VERIFY)
        self.warnings: list[str] = []

    def all(self) -> list[Template]:
        """In the order in which they are printed."""
        return [self.failure, self.delay, self.success, self.verify]

    def source(self) -> str:
        """All as a file would have them."""
        return "\n".join(template.source() for template in self.all())

    def expanded(self, snapshot: Snapshot, warn: Callable[[str], object]) -> str:
        """All texts with their names expanded."""
        texts = []
        for template in self.all():
            lines = [f"expanded_{template.kind}_text = <<EOF", *template.expanded(snapshot, warn), "EOF"]
            texts.append("".join(line + "\n" for line in lines))
        return "\n".join(texts)


def parse_templates(text: str, path: str) -> Templates:
    """The templates of a file, with built-in ones in the place of those that it lacks or gets wrong.

    :raises TemplateError: a line is no assignment.
    """
    found = Templates()
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if not line or line[0] == "#":
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise TemplateError(f"{path}, line {at}: missing '=' after attribute name: \"{line}\"")
        if value.startswith("<<"):
            content, at = _until(lines, at, value[2:].strip(), path, found.warnings)
        else:
            content = [value]
        kind = name.removesuffix("_template")
        if name == kind or kind not in ("failure", "delay", "success", "verify"):
            found.warnings.append(f"{path}, line {at + 1}: unknown template name: {name} -- ignoring this template")
            continue
        _replace(found, kind, content, path)
    return found


def _until(lines: list[str], at: int, end: str, path: str, warnings: list[str]) -> tuple[list[str], int]:
    """The lines before the end marker, and where to go on."""
    for stop in range(at, len(lines)):
        if lines[stop] == end:
            return lines[at:stop], stop + 1
    warnings.append(f'{path}, line {len(lines) + 1}: missing "{end}" end marker')
    return lines[at:], len(lines)


def _replace(found: Templates, kind: str, content: list[str], path: str) -> None:
    builtin: Template = getattr(Templates(), kind)
    made = Template(kind, builtin.subject, builtin.postmaster_subject, [])
    made.origin = path
    try:
        made.lines = _headers(made, content)
    except ValueError as error:
        found.warnings.append(f"{path}: {error} -- ignoring this template")
        return
    setattr(found, kind, made)


def _headers(made: Template, content: list[str]) -> list[str]:
    """Take the headers off; the text. The first line that is no header begins it."""
    at = 0
    while at < len(content) and content[at].strip():
        label, colon, value = content[at].partition(":")
        if not colon or not label or any(char.isspace() for char in label):
            break
        _set_header(made, label, value.lstrip(" \t"))
        at += 1
    if at < len(content) and not content[at].strip():
        at += 1
    if at >= len(content):
        raise ValueError(f"missing message text in {made.kind} template")
    return content[at:]


def _set_header(made: Template, label: str, value: str) -> None:
    key = label.lower()
    if key not in LABELS or (key == "postmaster-subject" and not made.postmaster_subject):
        raise ValueError(f'unknown "{label}" header label in {made.kind} template')
    if not value.strip():
        raise ValueError(f'empty "{label}" header value in {made.kind} template')
    if key == "charset":
        made.charset = value
    elif key == "from":
        made.sender = value
    elif key == "subject":
        made.subject = value
    else:
        made.postmaster_subject = value


# These texts are an interface: readers of notices, and tests of other systems, look for them.
_HELP = [
    "For further assistance, please send mail to postmaster.",
    "",
    "If you do so, please include this problem report. You can",
    "delete your own text from the attached returned message.",
    "",
]
_HOST = ["This is the mail system at host $myhostname.", ""]
_SIGNATURE = ["                   The mail system"]
_FAILURE = [
    *_HOST,
    "I'm sorry to have to inform you that your message could not",
    "be delivered to one or more recipients. It's attached below.",
    "",
    *_HELP,
    *_SIGNATURE,
]
_DELAY = [
    *_HOST,
    "####################################################################",
    "# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #",
    "####################################################################",
    "",
    "Your message could not be delivered for more than $delay_warning_time_hours hour(s).",
    "It will be retried until it is $maximal_queue_lifetime_days day(s) old.",
    "",
    *_HELP,
    *_SIGNATURE,
]
_SUCCESS = [
    *_HOST,
    "Your message was successfully delivered to the destination(s)",
    "listed below. If the message was delivered to mailbox you will",
    "receive no further notifications. Otherwise you may still receive",
    "notifications of mail delivery errors from other systems.",
    "",
    *_SIGNATURE,
]
_VERIFY = [*_HOST, "Enclosed is the mail delivery report that you requested.", "", *_SIGNATURE]
