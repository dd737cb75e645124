"""posttls-finger(1): what TLS a mail server speaks, and what its certificate is worth (INVENTORY TF-1).

Servers are looked up as the SMTP client does, with its parameters, and asked one after the other until one answers.
Lines go to standard error, the chain of -C to standard output. Exit status 0, or 1 after `fatal: text`.
"""

from __future__ import annotations

import getopt
import sys
from typing import NamedTuple

from pytwfix.commands.options import complaint
from pytwfix.commands.submission import die, warn

_PROGRAM = "posttls-finger"
_LETTERS = "a:A:cCd:fF:g:h:H:k:K:l:L:m:M:o:p:P:r:R:s:St:T:vwxX"
_USAGE = """\
usage: posttls-finger [-acCfSvw] [-t conn_tmout] [-T cmd_tmout] [-L logopts] [-h host_lookup] [-l level] [-d mdalg]
    [-g grade] [-p protocols] [-A tafile] [-F CAfile.pem] [-P CApath/] [-s servername] [-M insecure_mx_policy]
    [-R service] [ [-H chainfiles] | [-k certfile [-K keyfile]] ] [-m count] [-r delay] [-o name=value]
    destination [match ...]"""
LEVELS = ("none", "may", "encrypt", "fingerprint", "verify", "secure", "dane", "dane-only")
_ROUTINE = frozenset(("summary", "certmatch", "peercert", "untrusted"))
_LOGGED: dict[str, frozenset[str]] = {
    **dict.fromkeys(("0", "none"), frozenset(("untrusted",))),
    **dict.fromkeys(("1", "routine", "summary"), frozenset(("summary", "peercert", "untrusted"))),
    **dict.fromkeys(("2", "debug", "3", "ssl-expert", "4", "ssl-developer", "verbose", "trace"), _ROUTINE | {"cache"}),
    **{word: frozenset((word, "untrusted")) for word in ("untrusted", "peercert", "certmatch", "cache")},
    **dict.fromkeys(("ssl-debug", "ssl-handshake-packet-dump", "ssl-session-packet-dump"), frozenset(("untrusted",))),
}
# option -> the SMTP client's parameter, without its first part
_PARAMETERS = {
    "-d": "tls_fingerprint_digest", "-F": "tls_CAfile", "-g": "tls_mandatory_ciphers", "-h": "host_lookup",
    "-H": "tls_chain_files", "-k": "tls_cert_file", "-K": "tls_key_file", "-M": "tls_dane_insecure_mx_policy",
    "-p": "tls_mandatory_protocols", "-P": "tls_CApath", "-a": "address_preference",
}  # fmt: skip


class Request(NamedTuple):
    """One command line."""

    destination: str
    match: tuple[str, ...]
    level: str  # empty: dane, or secure where there is no TLSA record
    overrides: dict[str, str]
    logged: frozenset[str]
    lmtp: bool
    wrapped: bool
    chat: bool
    chain: bool
    servername: str
    anchors: tuple[str, ...]
    connect_patience: float
    patience: float
    delay: int
    most: int


def main(arguments: list[str] | None = None) -> int:
    """The command's entry point."""
    try:
        found, words = getopt.getopt(sys.argv[1:] if arguments is None else arguments, _LETTERS)
    except getopt.GetoptError as error:
        warn(_PROGRAM, complaint(error, _LETTERS))
        raise _usage()
    if not words:
        raise _usage()
    options = dict(found)
    if "-X" in options:
        die(_PROGRAM, "-X: TLS is not done by another process here", 1)
    if "-x" in options:
        warn(_PROGRAM, "warning: -x: raw public keys are not offered by the TLS library")
    request = _request(found, options, words)
    from pytwfix.commands.fingering import finger

    return finger(request, lambda line: warn(_PROGRAM, line))


def _usage() -> SystemExit:
    sys.stderr.write(_USAGE + "\n")
    return SystemExit(1)


def _request(found: list[tuple[str, str]], options: dict[str, str], words: list[str]) -> Request:
    level = options.get("-l", "")
    if level and level not in LEVELS:
        die(_PROGRAM, f'Invalid TLS level "{level}"', 1)
    if "-H" in options and ("-k" in options or "-K" in options):
        die(_PROGRAM, "-H excludes -k and -K", 1)
    logged: frozenset[str] = frozenset()
    for word in options.get("-L", "routine,certmatch").replace(",", " ").split():
        if word.lower() not in _LOGGED:
            warn(_PROGRAM, f'warning: unknown -L option value "{word}" in "{options["-L"]}"')
        logged |= _LOGGED.get(word.lower(), frozenset(("untrusted",)))
    return Request(
        words[0], tuple(words[1:]), level, _overrides(found, "-S" in options), logged, "-S" in options,
        "-w" in options, "-c" not in options, "-C" in options, options.get("-s", ""),
        tuple(text for letter, text in found if letter == "-A"), _seconds(options, "-t", 30),
        _seconds(options, "-T", 30), _seconds(options, "-r", 0), _seconds(options, "-m", 5),
    )  # fmt: skip


def _seconds(options: dict[str, str], letter: str, default: int) -> int:
    text = options.get(letter, "")
    if text and not text.isdecimal():
        die(_PROGRAM, f"bad number for {letter}: {text}", 1)
    return int(text or default)


def _overrides(found: list[tuple[str, str]], lmtp: bool) -> dict[str, str]:
    """Parameters: trust nobody, look everything up; then what options say; -o last."""
    first = "lmtp_" if lmtp else "smtp_"
    values = {
        "tls_CAfile": "", "tls_CApath": "", "tls_cert_file": "", "tls_key_file": "", "tls_chain_files": "",
        "host_lookup": "dns", "dns_support_level": "dnssec", "address_preference": "any", "fallback_relay": "",
    }  # fmt: skip
    out: dict[str, str] = {}
    for letter, text in found:
        if letter in _PARAMETERS:
            values[_PARAMETERS[letter]] = text
        elif letter == "-f":
            values["tls_force_insecure_host_tlsa_lookup"] = "yes"
        elif letter == "-R":
            out["use_srv_lookup"] = text
        elif letter == "-o":
            name, equals, value = text.partition("=")
            if not equals:
                die(_PROGRAM, f"-o option requires name=value argument: {text}", 1)
            out[name.strip()] = value.strip()
    values["tls_cert_file"] = values["tls_cert_file"] or values["tls_key_file"]
    values["tls_key_file"] = values["tls_key_file"] or values["tls_cert_file"]
    return {**{first + name: text for name, text in values.items()}, **out}


if __name__ == "__main__":
    sys.exit(main())
