"""sendmail(1): submit a mail, list or flush the queue, start the system, rebuild aliases (INVENTORY SE-1 to SE-4).

Also mailq and newaliases, by the name that it is called by. Light unless another command is needed: no Twisted.
What it cannot do it says as `sendmail: fatal: ...` and exits 75, as Postfix does.
"""

from __future__ import annotations

import os
import pwd
import sys

from pytwfix.commands.composition import addresses, compose, extract, probe, read_lines, recipients, shown
from pytwfix.commands.sendmailoptions import PROGRAM, Options, check_verp, parse
from pytwfix.commands.submission import DATAERR, SubmitError, configuration, die, login, submit, value, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.settings.snapshot import Snapshot


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    name = os.path.basename(sys.argv[0])
    options = parse(sys.argv[1:] if arguments is None else arguments)
    if arguments is None and name == "mailq":
        options.mode = "p"
    elif arguments is None and name == "newaliases":
        options.mode = "i"
    if options.flush is not None:
        return _flush(options)
    return _RUN.get(options.mode, _deliver)(options)


# -- other commands ------------------------------------------------------------------------------------------------


def _config(options: Options, letter: str = "-c") -> list[str]:
    return [letter, options.config] if options.config else []


def _flush(options: Options) -> int:
    from pytwfix.commands import postqueue  # type: ignore[attr-defined,unused-ignore]

    if options.recipients:
        die(PROGRAM, "flush queue mode requires no recipient")
    assert options.flush is not None
    letter, argument = options.flush
    return int(postqueue.main([*_config(options), letter, *([argument] if argument else [])]))


def _list(options: Options) -> int:
    from pytwfix.commands import postqueue  # type: ignore[attr-defined,unused-ignore]

    if options.recipients:
        die(PROGRAM, "display queue mode requires no recipient")
    return int(postqueue.main([*_config(options), "-p"]))


def _aliases(options: Options) -> int:
    if options.recipients:
        die(PROGRAM, "alias initialization mode requires no recipient")
    if options.alias_file:
        from pytwfix.commands.postalias import PostAlias

        return PostAlias().run([*_config(options), options.alias_file])
    from pytwfix.commands import newaliases

    return newaliases.main(_config(options, "-C"))


def _start(options: Options) -> int:
    from pytwfix.commands import postfix  # type: ignore[attr-defined,unused-ignore]

    if options.recipients:
        die(PROGRAM, "daemon mode requires no recipient")
    return int(postfix.main([*_config(options), "start"]))


def _nothing(options: Options) -> int:
    return 0


def _smtp(options: Options) -> int:
    from pytwfix.commands.smtpstdin import serve

    if options.recipients:
        die(PROGRAM, "stand-alone mode requires no recipient")
    return serve(configuration(PROGRAM, options.config))


# -- submission ----------------------------------------------------------------------------------------------------


def _deliver(options: Options) -> int:
    if options.extract and options.mode == "v":
        die(PROGRAM, "-t option cannot be used with -bv")
    sender = _sender(options)
    if not options.recipients and not options.extract:
        _fatal(sender, "Recipient addresses must be specified on the command line or via the -t option")
    config = configuration(PROGRAM, options.config, checked=True)
    if options.verp is not None:
        check_verp(options.verp, value(config, "verp_delimiter_filter"))
    if options.verp == "":
        options.verp = value(config, "default_verp_delimiters")
    given = recipients([os.fsencode(word) for word in options.recipients])
    if options.mode == "v":
        lines = probe(sender, given)
    else:
        lines = read_lines(sys.stdin.buffer.read(), options.dots, value(config, "sendmail_fix_line_endings"))
    extracted: list[bytes] = []
    if options.extract:
        lines, extracted = extract(lines)
    if not given and not extracted:
        if options.extract:
            _fatal(sender, "No recipient addresses found in message header")
        _fatal(sender, "No valid recipient addresses found on the command line")
    data = compose(options, sender, _full_name(options), given, extracted, lines)
    limit = int(value(config, "message_size_limit") or 0)
    if limit and len(data) > limit:
        _fatal(sender, f"message file too big: {len(data)} bytes, limit {limit}", DATAERR)
    return _send(options, config, sender, data)


def _send(options: Options, config: Snapshot, sender: bytes, data: bytes) -> int:
    try:
        submit(config, data)
    except SubmitError as error:
        _fatal(sender, str(error), error.code)
    if options.mode == "v" or options.verbose == 1:
        print(f"Mail Delivery Status Report will be mailed to <{shown(sender)}>.")
    return 0


def _sender(options: Options) -> bytes:
    """-f as an address; the login name without it."""
    if options.sender is None:
        return login().encode()
    text = os.fsencode(options.sender).strip()
    if text in (b"", b"<>"):
        return b""
    found = addresses(text)
    if len(found) != 1:
        warn(PROGRAM, f"warning: -f option specified malformed sender: {options.sender}")
    return found[0] if found else b""


def _full_name(options: Options) -> bytes:
    """-F, else NAME, else what passwd says: up to the first comma, & being the login name."""
    name = options.full_name if options.full_name is not None else os.environ.get("NAME")
    if name is None:
        try:
            user = pwd.getpwuid(os.getuid())
        except KeyError:
            return b""
        name = user.pw_gecos.partition(",")[0].replace("&", user.pw_name.capitalize())
    return os.fsencode(name.replace("\n", " ").strip())


def _who(sender: bytes) -> str:
    """Who is spoken to in a complaint: the sender, and the user."""
    return f"{PROGRAM}: fatal: {shown(sender)}({os.getuid()})"


def _fatal(sender: bytes, text: str, code: int = 75) -> None:
    warn(_who(sender), text)
    raise SystemExit(code)


_RUN = {"p": _list, "i": _aliases, "d": _start, "l": _start, "h": _nothing, "H": _nothing, "s": _smtp}
