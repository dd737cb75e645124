"""`postfix tls`: opportunistic TLS with a few words, and the server's keys (INVENTORY PX-5).

What is done is logged as `postfix/postfix-tls-script`; requests and TLSA records go to standard output. Exit status 0,
or 1 after `fatal: text` and for a question that is answered with no.
"""

from __future__ import annotations

import getopt
import os
import sys
import time

from pytwfix.commands import servercertificates as certificates
from pytwfix.commands.instances import set_parameters
from pytwfix.commands.script import Script
from pytwfix.commands.servercertificates import Bad, Key
from pytwfix.settings.maincf import read_main
from pytwfix.settings.registry import parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_FILES = {
    "rsa": ("smtpd_tls_cert_file", "smtpd_tls_key_file", ""),
    "ecdsa": ("smtpd_tls_eccert_file", "smtpd_tls_eckey_file", "ec"),
}
_OLD = ("use_tls", "enforce_tls")
_CLIENT = {
    "smtp_tls_security_level": "may",
    "smtp_tls_loglevel": "1",
    "smtp_tls_session_cache_database": "lmdb:${data_directory}/smtp_scache",
}
_SERVER = {"smtpd_tls_security_level": "may", "smtpd_tls_loglevel": "1", "smtpd_tls_received_header": "yes"}
_RELOAD = ("Run the command:", "  # postfix reload", "if you want the new settings to take effect immediately.")


class TlsScript:
    """One `postfix tls` command line."""

    def __init__(self, script: Script) -> None:
        self._directory = script.directory
        self._config = script.config
        self._script = Script(script.directory, script.config, f"{script.value('syslog_name')}/postfix-tls-script")
        self._host = script.value("myhostname")
        self._options: dict[str, str] = {}

    def run(self, words: list[str]) -> int:
        action = self._actions.get(words[0] if words else "")
        if action is None:
            self._script.error(f"unknown tls command: '{words[0] if words else ''}'")
            first, *others = self._actions
            return self._script.fatal(f"usage: postfix tls {first} (or {', '.join(others)})")
        letters, do = action
        try:
            found, rest = getopt.getopt(words[1:], letters)
            self._options = dict(found)
            return do(self, rest)
        except getopt.GetoptError as error:
            return self._script.fatal(f"invalid option -- '{error.opt}'")
        except Bad as error:
            return self._script.fatal(str(error))

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._script.say(line)

    # -- settings

    def _changed(self, side: str) -> bool:
        """Whether main.cf sets a TLS parameter of smtp or smtpd to something of its own."""
        known = parameters()
        for name, text in read_main(self._directory).values.items():
            mine = name.startswith(f"{side}_tls_") or name in [f"{side}_{word}" for word in _OLD]
            if mine and (name not in known or text != self._config.default(known[name])):
                return True
        return False

    def _all_default_client(self, _words: list[str]) -> int:
        return int(self._changed("smtp"))

    def _all_default_server(self, _words: list[str]) -> int:
        return int(self._changed("smtpd"))

    def _set(self, values: dict[str, str]) -> None:
        if "-r" in self._options:
            source = self._options["-r"]
            values["tls_random_source"] = source if source.startswith(("dev:", "egd:")) else f"dev:{source}"
        set_parameters(self._directory, values)

    def _leave(self, side: str, values: dict[str, str]) -> None:
        self._say(f"*** Non-default SMTP {side} TLS settings detected, no changes made.")
        self._say(f"Typical for opportunistic TLS in the SMTP {side} are:")
        self._say(*(f"  {name} = {text}" for name, text in values.items()))

    def _enable_client(self, _words: list[str]) -> int:
        if self._changed("smtp"):
            self._leave("client", _CLIENT)
            return 0
        self._set(dict(_CLIENT))
        self._say("Enabled opportunistic TLS in the Postfix SMTP client.", *_RELOAD)
        return 0

    def _enable_server(self, names: list[str]) -> int:
        if self._changed("smtpd"):
            self._leave("server", {name: _SERVER[name] for name in list(_SERVER)[:2]})
            self._say('New keys are made by "postfix tls new-server-key", new certificates by "... new-server-cert".')
            return 0
        key = self._new_key()
        certificate, path = self._write(key, names)
        self._set({**_SERVER, **self._deployed(key, certificate, path)})
        self._say("Enabled opportunistic TLS in the Postfix SMTP server")
        self._say("New TLS private key and certificate deployed.", *_RELOAD)
        self._tell_next(path, f"Save the signed certificate chain in {certificate}.")
        return 0

    # -- keys and certificates

    def _new_key(self) -> Key:
        return certificates.new_key(self._options.get("-a", "rsa"), self._options.get("-b", ""))

    def _write(self, key: Key, names: list[str]) -> tuple[str, str]:
        """The new files of a certificate and its key."""
        prefix = f"{self._directory}/{_FILES[certificates.algorithm_of(key)][2]}"
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        certificate, path = f"{prefix}cert-{stamp}.pem", f"{prefix}key-{stamp}.pem"
        text = certificates.self_signed(key, names or [self._host])
        certificates.write_new(path, certificates.key_text(key), 0o600)
        certificates.write_new(certificate, text, 0o644)
        return certificate, path

    def _new_server_key(self, names: list[str], key: Key | None = None) -> int:
        certificate, path = self._write(key or self._new_key(), names)
        self._say("New private key and self-signed certificate created. To deploy run:")
        self._say(f"  # postfix tls deploy-server-cert {certificate} {path}")
        self._tell_next(path, f"Save the signed certificate chain in {certificate}, and deploy as above.")
        return 0

    def _new_server_cert(self, names: list[str]) -> int:
        """With the key that is in use, if there is one."""
        path = self._key_file(self._options.get("-a", "rsa"))
        return self._new_server_key(names, certificates.read_key(path) if path else None)

    def _tell_next(self, path: str, save: str) -> None:
        self._say("To generate a CSR run:", f"  # postfix tls output-server-csr -k {path} [<hostname> ...]", save)
        self._say("To generate TLSA records run:", f"  # postfix tls output-server-tlsa [-h <hostname>] {path}")

    def _deploy(self, words: list[str]) -> int:
        if len(words) != 2:
            raise Bad("usage: postfix tls deploy-server-cert certfile keyfile")
        certificate, path = (os.path.join(self._directory, word) for word in words)
        key = certificates.read_key(path)
        certificates.check_pair(certificate, path, key)
        self._set(self._deployed(key, certificate, path))
        self._say("New TLS private key and certificate deployed.", *_RELOAD)
        return 0

    @staticmethod
    def _deployed(key: Key, certificate: str, path: str) -> dict[str, str]:
        names = _FILES[certificates.algorithm_of(key)]
        return {names[0]: certificate.replace("$", "$$"), names[1]: path.replace("$", "$$")}

    # -- what is published

    def _key_file(self, word: str) -> str:
        """The key in use of an algorithm, "" for none; else the file of this name."""
        if word not in _FILES:
            return os.path.join(self._directory, word)
        path = self._script.value(_FILES[word][1])
        return "" if path == "none" else path

    def _csr(self, names: list[str]) -> int:
        words = [self._options["-k"]] if "-k" in self._options else list(_FILES)
        paths = [path for path in map(self._key_file, words) if path]
        if not paths:
            raise Bad(f"no {' or '.join(words)} private key configured")
        sys.stdout.write(certificates.request(certificates.read_key(paths[0]), names or [self._host]).decode())
        return 0

    def _tlsa(self, words: list[str]) -> int:
        host = self._options.get("-h", self._host)
        for path in map(self._key_file, words or _FILES):
            if path:
                sys.stdout.write(f"; {path}\n{certificates.tlsa(certificates.read_key(path), host)}\n")
        return 0

    _actions: dict[str, tuple[str, Callable[[TlsScript, list[str]], int]]] = {
        "enable-client": ("r:", _enable_client),
        "enable-server": ("r:a:b:", _enable_server),
        "new-server-key": ("a:b:", _new_server_key),
        "new-server-cert": ("a:b:", _new_server_cert),
        "deploy-server-cert": ("", _deploy),
        "output-server-csr": ("k:", _csr),
        "output-server-tlsa": ("h:", _tlsa),
        "all-default-client": ("", _all_default_client),
        "all-default-server": ("", _all_default_server),
    }
