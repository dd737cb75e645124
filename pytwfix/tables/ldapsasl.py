"""How an ldap: table proves by SASL who it is (MT-11, NP-5; RFC 4513 section 5.2): `bind = sasl`.

sasl_mechs: which may be used, all that are known when empty; the best that the server has too is taken. bind_dn is the
user's name, bind_pw the password, sasl_authz_id, sasl_realm. EXTERNAL (the UNIX socket's user, or the certificate),
DIGEST-MD5 by the package ldap3; the others are those of the SMTP client. A mechanism that shows the password is not
taken on a connection that others can read, unless sasl_mechs names nothing else. There are no security layers but TLS:
sasl_minssf > 0 wants TLS, or a UNIX socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.operation.bind import bind_operation

from pytwfix.dialogs.sasl_client import MECHANISMS, Mechanism, SaslError
from pytwfix.tables.clientconfig import ClientConfig

if TYPE_CHECKING:
    from pytwfix.contracts.host import IRandom

_DIGEST = "DIGEST-MD5"
_EXTERNAL = "EXTERNAL"
_KNOWN = (_EXTERNAL, "SCRAM-SHA-256", "SCRAM-SHA-1", _DIGEST, "CRAM-MD5", "PLAIN", "LOGIN")  # the best first
_PLAINTEXT = ("PLAIN", "LOGIN")
_CONTINUE = 14  # saslBindInProgress
_ROUNDS = 10


class NoMechanism(LDAPException):
    """There is no way that both sides know."""


def bind(connection: Any, config: ClientConfig, random: IRandom) -> dict[str, Any]:
    """Bind an open connection; the server's result. LDAPException."""
    hidden = bool(connection.tls_started or connection.server.ssl or connection.server.ipc)
    if config.number("sasl_minssf", 0) > 0 and not hidden:
        raise NoMechanism("sasl_minssf wants TLS")
    mechanism = _choice(connection, config, hidden)
    connection.sasl_mechanism = mechanism
    result: dict[str, Any] | None
    if mechanism == _DIGEST:
        connection.sasl_credentials = (
            config.get("sasl_realm") or None, config.get("bind_dn"), config.get("bind_pw"),
            config.get("sasl_authz_id") or None,
        )  # fmt: skip
        result = connection.do_sasl_bind(None)
    else:
        result = _exchange(connection, mechanism, config, random.bytes(18))
    if result is None:
        raise NoMechanism("malformed challenge")
    return result


def _choice(connection: Any, config: ClientConfig, hidden: bool) -> str:
    named = config.get("sasl_mechs").upper().replace(",", " ").split()
    wanted = [name for name in _KNOWN if name in named or not named]
    if not hidden and not all(name in _PLAINTEXT for name in wanted):
        wanted = [name for name in wanted if name not in _PLAINTEXT]
    if not config.get("bind_pw"):
        wanted = [name for name in wanted if name == _EXTERNAL]
    if len(wanted) > 1:
        offered = _offered(connection)
        wanted = [name for name in wanted if name in offered]
    if not wanted:
        raise NoMechanism("no SASL mechanism in common")
    return wanted[0]


def _offered(connection: Any) -> list[str]:
    connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["supportedSASLMechanisms"])
    found = [
        value.decode("ascii", "replace").upper()
        for entry in connection.response or ()
        for values in entry.get("raw_attributes", {}).values()
        for value in values
    ]
    return found


def _exchange(connection: Any, name: str, config: ClientConfig, nonce: bytes) -> dict[str, Any]:
    user, password, other = (
        config.get(word).encode("utf-8", "surrogateescape") for word in ("bind_dn", "bind_pw", "sasl_authz_id")
    )
    mechanism: Mechanism | None = None
    if name != _EXTERNAL:
        mechanism = MECHANISMS[name](user, password, other, nonce)
    answer = other if mechanism is None else mechanism.first
    try:
        for _ in range(_ROUNDS):
            result = _send(connection, name, answer)
            challenge = result.get("saslCreds") or b""
            if result["result"] != _CONTINUE:
                if result["result"] == 0 and challenge and mechanism is not None:
                    mechanism.respond(challenge)  # the server's own proof
                return result
            if mechanism is None:
                raise SaslError("unexpected challenge")
            answer = mechanism.respond(challenge)
    except SaslError as error:
        raise NoMechanism(str(error)) from None
    raise NoMechanism("authentication protocol loop")


def _send(connection: Any, name: str, answer: bytes | None) -> dict[str, Any]:
    request = bind_operation(connection.version, ldap3.SASL, "", None, name, answer)
    connection.sasl_in_progress = True
    try:
        connection.post_send_single_response(connection.send("bindRequest", request, None))
    finally:
        connection.sasl_in_progress = False
    result: dict[str, Any] = connection.result
    return result
