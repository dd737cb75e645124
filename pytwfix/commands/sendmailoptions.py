"""The options of sendmail(1) (INVENTORY SE-1). Light."""

from __future__ import annotations

from pytwfix.commands.submission import die, warn

_LETTERS = "A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:r:q:tvx"
_OPTIONAL = frozenset("q")  # an argument must be attached
_IGNORED = frozenset("ALUXcehmnpx")
PROGRAM = "sendmail"
NEVER, SUCCESS, FAILURE, DELAY = 1, 2, 4, 8  # of mail/status.py, which is heavier
RET_FULL, RET_HDRS = 1, 2
_NOTIFY = {"success": SUCCESS, "failure": FAILURE, "delay": DELAY}
_MODES = frozenset("msivpdlhH")


class Options:
    """What the command line asks for."""

    def __init__(self) -> None:
        self.config = ""
        self.mode = "m"
        self.sender: str | None = None
        self.full_name: str | None = None
        self.encoding = ""
        self.extract = False
        self.dots = False  # a line with a dot alone is no end
        self.verbose = 0
        self.envid = ""
        self.verp: str | None = None
        self.notify = 0
        self.ret = 0
        self.gateway = False
        self.flush: tuple[str, str] | None = None  # (letter of postqueue, argument)
        self.alias_file = ""
        self.requiretls = False
        self.smtputf8 = False
        self.recipients: list[str] = []


def parse(arguments: list[str]) -> Options:
    """SystemExit for what sendmail refuses."""
    options = Options()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            options.recipients += rest
            break
        if len(word) > 1 and word[0] == "-":
            _cluster(options, word[1:], rest)
        else:
            options.recipients.append(word)
    return options


def _cluster(options: Options, word: str, rest: list[str]) -> None:
    """Letters in one word: the last may take what follows as its argument."""
    while word:
        letter, word = word[0], word[1:]
        at = _LETTERS.find(letter)
        if letter == ":" or at < 0:
            warn(PROGRAM, f"invalid option -- '{letter}'")
            die(PROGRAM, "usage: sendmail [options]")
        if _LETTERS[at + 1 : at + 2] != ":":
            _flag(options, letter)
            continue
        argument, word = word, ""
        if not argument and letter not in _OPTIONAL:
            if not rest:
                warn(PROGRAM, f"option requires an argument -- '{letter}'")
                die(PROGRAM, "usage: sendmail [options]")
            argument = rest.pop(0)
        _argument(options, letter, argument)


def _flag(options: Options, letter: str) -> None:
    if letter == "G":
        options.gateway = True
    elif letter == "I":
        options.mode = "i"
    elif letter == "i":
        options.dots = True
    elif letter == "t":
        options.extract = True
    elif letter == "v":
        options.verbose += 1


def _argument(options: Options, letter: str, value: str) -> None:
    if letter in _IGNORED and not (letter == "X" and value.startswith("V")):
        return
    if letter == "C":
        options.config = value
    elif letter == "F":
        if "\n" in value:
            die(PROGRAM, "-F option value contains a newline")  # OB-10
        options.full_name = value
    elif letter in "fr":
        options.sender = value
    else:
        _CHECKED[letter](options, value)


def _encoding(options: Options, value: str) -> None:
    if value.upper() not in ("8BITMIME", "7BIT"):
        die(PROGRAM, "-B option needs 8BITMIME or 7BIT")
    options.encoding = value[:4].lower()


def _mode(options: Options, value: str) -> None:
    if value not in _MODES:
        die(PROGRAM, f"unsupported: -b{value}")
    options.mode = value


def _notify(options: Options, value: str) -> None:
    words = [word.strip().lower() for word in value.split(",") if word.strip()]
    if words == ["never"]:
        options.notify = NEVER
        return
    found = 0
    for word in words:
        if word not in _NOTIFY:
            if word != "never":
                warn(PROGRAM, f'warning: unknown DSN NOTIFY command value "{word}" in "{value}"')
            found = 0
            break
        found |= _NOTIFY[word]
    if found:
        options.notify = found
    else:
        warn(PROGRAM, "warning: bad -N option value -- ignored")


def _ret(options: Options, value: str) -> None:
    found = {"full": RET_FULL, "hdrs": RET_HDRS}.get(value.lower(), 0)
    if not found:
        warn(PROGRAM, "warning: bad -R option value -- ignored")
    options.ret = found


def _envid(options: Options, value: str) -> None:
    if not value:
        warn(PROGRAM, "warning: bad syntax in -V option value -- ignored")
    options.envid = value


def _verp(options: Options, value: str) -> None:
    options.verp = value[1:]


def check_verp(delimiters: str, allowed: str) -> None:
    """Those of -XV, which may be none: verp_delimiter_filter must know them."""
    if len(delimiters) not in (0, 2) or any(char not in allowed for char in delimiters):
        die(PROGRAM, f"-V requires two characters from {allowed}")


def _other(options: Options, value: str) -> None:
    if value == "i":
        options.dots = True
    elif value[:1] == "A":
        options.alias_file = value[1:]


def _modern(options: Options, value: str) -> None:
    """-O name=value: two of them mean something (3.11)."""
    name, _, text = value.partition("=")
    wanted = text.strip().lower() in ("yes", "true", "1", "")
    if name.strip().lower() == "requiretls":
        options.requiretls = wanted
    elif name.strip().lower() == "smtputf8":
        options.smtputf8 = wanted


def _queue(options: Options, value: str) -> None:
    """-q: flush; -qI and -qR: one mail, one site; -q15m: how often a daemon would, which is its own business."""
    if not value:
        options.flush = ("-f", "")
    elif value[0] in "IR" and not value[1:]:
        die(PROGRAM, f"specify: -q{value}{'queueid' if value == 'I' else 'sitename'}")
    elif value[0] == "I":
        options.flush = ("-i", value[1:])
    elif value[0] == "R":
        options.flush = ("-s", value[1:])
    elif value[0] == "S":
        die(PROGRAM, "-qS is not implemented")
    elif value[0].isdigit():
        options.mode = "h"
    else:
        die(PROGRAM, f"-q{value} is not implemented")


_CHECKED = {
    "B": _encoding,
    "b": _mode,
    "N": _notify,
    "R": _ret,
    "V": _envid,
    "X": _verp,
    "o": _other,
    "O": _modern,
    "q": _queue,
}
