"""The SMTP server's log lines (LG-1 to LG-3, LG-5, LG-6). Their shapes are read by pflogsumm, fail2ban and others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytwfix.tables.addresses import external_form

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.state import State
    from pytwfix.contracts.host import ILog
    from pytwfix.mail.envelope import Client

_ESCAPES = {"\r": "\\r", "\n": "\\n", "\t": "\\t", "\\": "\\\\"}


class Tls(NamedTuple):
    """A TLS session as log lines, headers and policy requests want it."""

    protocol: str
    cipher: str
    bits: int
    algorithm_bits: int
    peer: str = "Anonymous"  # or Untrusted, Trusted
    detail: str = ""  # " key-exchange X25519 ..." or ""
    asked: bool = False  # for a client certificate
    subject: str = ""  # of that certificate: common names
    issuer: str = ""
    fingerprint: str = ""
    key_fingerprint: str = ""
    sni: str = ""  # the name that the client asked for
    resumed: bool = False  # an earlier session was taken up


def connect(log: ILog, namaddr: str) -> None:
    log.info(f"connect from {namaddr}")


def haproxy_failed(log: ILog, reason: str) -> None:
    log.warning(f"haproxy read: {reason}")


def dialog(log: ILog, direction: str, namaddr: str, line: str) -> None:
    """Each line of a peer in debug_peer_list, heard ("<") or said (">") (SV-8)."""
    log.info(f"{direction} {namaddr}: {line}")


def reply_replaced(state: State, old: str, new: str) -> None:
    """smtpd_reject_filter_maps (SD-51)."""
    ident = state.queue_id or "NOQUEUE"
    state.host.log.info(f"{ident}: reject filter: {state.stage} from {state.namaddr}: in: {old}; out: {new}")


def bad_replacement(log: ILog, name: str, text: str) -> None:
    log.warning(f"{name}: ignoring bad reply: {text}")


def disconnect(log: ILog, namaddr: str, counts: str) -> None:
    log.info(f"disconnect from {namaddr}{counts}")


def client(state: State, queue_id: str, origin: Client | None, origin_ident: str) -> None:
    """`origin`: what XFORWARD said, None when it was not used."""
    text = f"{queue_id or 'NOQUEUE'}: client={state.namaddr}{login(state, ', ')}"
    if origin_ident:
        text += f", orig_queue_id={origin_ident}"
    if origin is not None:
        whole = f"{origin.name or 'unknown'}[{origin.address}]"
        known = origin.address not in ("", "unknown") or origin.name not in ("", "unknown")
        text += f", orig_client={whole if known else 'unknown'}"
    state.host.log.info(text)


def ended(log: ILog, why: str, after: str, namaddr: str, queue_id: str) -> None:
    """`why`: "lost connection", "timeout", "too many errors"; with the queue ID as of 3.10 (LG-1)."""
    log.info(f"{queue_id + ': ' if queue_id else ''}{why} after {after} from {namaddr}")


def reject(state: State, action: str, text: str) -> None:
    """`action`: reject, reject_warning, hold, discard, filter, redirect, bcc, prepend, info, warn, permit, hangup."""
    about = f"{state.stage} from {state.namaddr}: {text};{context(state)}"
    state.host.log.info(f"{state.queue_id or 'NOQUEUE'}: {action}: {about}")


def proxied(state: State, action: str, reply: str) -> None:
    """What a before-queue filter said: proxy-accept, proxy-reject (LG-4)."""
    ident = f"{state.queue_id}: " if state.queue_id else ""
    state.host.log.info(f"{ident}{action}: {state.stage}: {reply};{context(state)}")


def permit(state: State, action: str, kind: str, name: str, table: str = "") -> None:
    """smtpd_log_access_permit_actions (SD-57); the blank without a table is Postfix's."""
    reject(state, "permit", f"action={action} for {kind}={name} {'from ' + table if table else ''}")


def context(state: State) -> str:
    """` from=<> to=<> proto=SMTP helo=<>`, as far as it is known."""
    out = ""
    if state.sender is not None:
        out += f" from=<{_address(state, state.sender)}>"
    if state.recipient is not None:
        out += f" to=<{_address(state, state.recipient)}>"
    out += f" proto={state.protocol}"
    if state.helo:
        out += f" helo=<{state.helo}>"
    return out + login(state, " ") if state.client.sasl_username or state.sasl_sender else out


def login(state: State, before: str) -> str:
    """`sasl_method=M, sasl_username=U, sasl_sender=S`, as far as they are known (LG-2, LG-3)."""
    client, out = state.client, ""
    if client.sasl_method:
        out += f"{before}sasl_method={client.sasl_method}"
    if client.sasl_username:
        out += f"{before}sasl_username={client.sasl_username}"
    if state.sasl_sender:
        out += f"{before}sasl_sender={state.sasl_sender}"
    return out


def _address(state: State, address: bytes) -> str:
    """In external form; bytes that cannot be shown as `?`."""
    shown = external_form(address).decode("utf-8" if state.config.smtputf8 else "ascii", "replace")
    return shown.replace("\ufffd", "?")


def status_mapped(log: ILog, old: str, kind: str, new: str) -> None:
    log.info(f"mapping DSN status {old} into {kind} status {new}")


def improper_pipelining(log: ILog, verb: str, namaddr: str, data: bytes) -> None:
    text = "".join(_ESCAPES.get(char, char) for char in data.decode("utf-8", "replace"))
    log.info(f"improper command pipelining after {verb} from {namaddr}: {text}")


def complaint(log: ILog, text: str, namaddr: str, queue_id: str = "") -> None:
    """A complaint of the dialog, where "%s" stands for the client."""
    prefix = f"{queue_id}: " if queue_id and "BDAT" in text else ""
    log.warning(prefix + text.replace("%s", namaddr, 1))


def not_smtp(log: ILog, namaddr: str, line: str) -> None:
    log.warning(f"non-SMTP command from {namaddr}: {line[:100]}")


def unknown_restriction(log: ILog, name: str) -> None:
    log.warning(f'unknown smtpd restriction: "{name}"')


def list_failed(log: ILog, query: str, reason: str) -> None:
    log.warning(f"{query}: RBL lookup error: {reason}")


def bad_list_reply(log: ILog, text: str) -> None:
    log.warning(f"rbl response code configuration error: {text}")


def going_away(log: ILog, name: str, instead: str) -> None:
    log.warning(f'support for restriction "{name}" will be removed from Postfix; instead, specify "{instead}"')


def not_connected(log: ILog, where: str, reason: str) -> None:
    log.warning(f"connect to {where}: {reason}")


def policy_failed(log: ILog, where: str, reason: str) -> None:
    log.warning(f"problem talking to server {where}: {reason}")


def must_not_permit(log: ILog, restriction: str, name: str) -> None:
    """Who is looked up decides what the table says of him (SD-36)."""
    log.warning(f"restriction {restriction} returns OK for {name}")
    log.warning("this is not allowed for security reasons")
    log.warning("use DUNNO instead of OK if you want to make an exception")


def server_unknown(log: ILog, record: str, what: str, reason: str) -> None:
    log.warning(f"Unable to look up {record} host {what}: {reason}")


def not_honoured(log: ILog, name: str) -> None:
    log.warning(f"{name} is set, but this server does not support it yet")


def limit_exceeded(log: ILog, what: str, count: int, namaddr: str, service: str) -> None:
    """`what`: "Connection concurrency", "Connection rate", ... (LG-5)."""
    log.warning(f"{what} limit exceeded: {count} from {namaddr} for service {service}")


def starttls_refused(log: ILog, namaddr: str, service: str) -> None:
    log.warning(f"Refusing STARTTLS request from {namaddr} for service {service}")


def bdat_too_big(log: ILog, queue_id: str, namaddr: str) -> None:
    log.warning(f"{queue_id}: BDAT request from {namaddr} exceeds message size limit")


def size_limit(log: ILog, queue_id: str) -> None:
    log.warning(f"{queue_id}: queue file size limit exceeded")


def no_space(log: ILog, free: int, need: int) -> None:
    log.warning(f"not enough free space in mail queue: {free} bytes < {need} bytes")


def etrn_refused(log: ILog, domain: str, namaddr: str) -> None:
    log.warning(f"reject: ETRN {domain}... from {namaddr}")


def ehlo_discarded(log: ILog, words: str) -> None:
    log.info(f"discarding EHLO keywords: {words}")


def unsure(state: State, what: str, reply: str) -> None:
    """A table did not say what EHLO should announce (SD-4)."""
    state.host.log.warning(f"don't know {what} to {state.namaddr}")
    state.host.log.info(f"NOQUEUE: reject: EHLO from {state.namaddr}: {reply}")


def command_replaced(log: ILog, namaddr: str, old: str, new: str) -> None:
    log.info(f'{namaddr}: replacing command "{old}" with "{new}"')


def sasl_failed(log: ILog, namaddr: str, mechanism: str, reason: str, user: str) -> None:
    """What fail2ban reads (LG-5)."""
    name = user or "(unavailable)"
    log.warning(f"{namaddr}: SASL {mechanism} authentication failed: {reason}, sasl_username={name}")


def sasl_aborted(log: ILog, namaddr: str, mechanism: str) -> None:
    log.warning(f"{namaddr}: SASL {mechanism} authentication aborted")


def sasl_too_long(log: ILog, namaddr: str, limit: int, line: bytes) -> None:
    log.warning(f"{namaddr}: request longer than {limit}: {line[:30].decode('utf-8', 'replace')}...")


def sasl_unreachable(log: ILog, where: str, reason: str) -> None:
    log.warning(f"SASL: Connect to {where} failed: {reason}")


def no_mechanisms(log: ILog) -> None:
    log.warning("no SASL authentication mechanisms")


def no_certificates(log: ILog) -> None:
    log.warning("No server certs available. TLS won't be enabled")


def tls_setup(log: ILog, namaddr: str) -> None:
    log.info(f"setting up TLS connection from {namaddr}")


def tls_established(log: ILog, namaddr: str, tls: Tls) -> None:
    to = f" to {tls.sni}" if tls.sni else ""
    log.info(
        f"{tls.peer} TLS connection established from {namaddr}{to}: {tls.protocol} with cipher {tls.cipher} "
        f"({tls.bits}/{tls.algorithm_bits} bits){tls.detail}"
    )


def tls_failed(log: ILog, namaddr: str, why: str) -> None:
    log.info(f"SSL_accept error from {namaddr}: {why}")


def tls_not_required(log: ILog) -> None:
    log.warning("Can't require client certs unless TLS is required")


def tls_unverified(log: ILog, namaddr: str, issuer: str) -> None:
    log.info(f"certificate verification failed for {namaddr}: untrusted issuer /CN={issuer}")


def tls_aborted(log: ILog, namaddr: str, why: str) -> None:
    """A client without the certificate that we insist on."""
    log.info(f"NOQUEUE: abort: TLS from {namaddr}: {why}")


def tls_library(log: ILog, text: str) -> None:
    log.warning(f"TLS library problem: {text}")
