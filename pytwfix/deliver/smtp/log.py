"""The client's own log lines (SM-3, SM-4, SM-6, LG-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.basics.printable import printable_text
from pytwfix.settings.compatibility import USING

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog
    from pytwfix.mail.mtasts import StsPolicy
    from pytwfix.net.tls.contexts import TlsInfo


def not_connected(log: ILog, reason: str) -> None:
    """`connect to host[addr]:port: reason`."""
    log.info(reason)


def not_bound(log: ILog, address: str, reason: str) -> None:
    log.warning(f"smtp_connect_addr: bind {address}: {reason}")


def bad_bind_address(log: ILog, parameter: str, address: str) -> None:
    log.warning(f"smtp_connect_addr: bad {parameter} parameter: {address}")


def next_server(log: ILog, queue_id: str, reason: str) -> None:
    """What a server did not take, when another one is tried."""
    log.info(f"{queue_id}: {printable_text(reason, utf8=True)}")


def bad_destination(log: ILog, reason: str) -> None:
    log.warning(f"smtp_parse_destination: {reason}")


def bad_resolver_option(log: ILog, reason: str) -> None:
    log.warning(f"smtp_dns_resolver_options: {reason}")


def record_ignored(log: ILog, record: str) -> None:
    log.info(f"ignoring DNS RR: {record}")


def no_mx_address(log: ILog, domain: str) -> None:
    log.warning(f"no MX host for {domain} has a valid address record")


def no_primary(log: ILog, domain: str) -> None:
    log.warning(f"unable to find primary relay for {domain}")


def own_name(log: ILog, namaddr: str, hostname: str) -> None:
    log.warning(f"host {namaddr} replied to HELO/EHLO with my own hostname {hostname}")


def features_discarded(log: ILog, words: str) -> None:
    log.info(f"discarding EHLO keywords: {words}")


def size_limit(log: ILog, text: str, namaddr: str) -> None:
    log.warning(f'bad EHLO SIZE limit "{text}" from {namaddr}')


def pix_workarounds(log: ILog, queue_id: str, words: str, namaddr: str) -> None:
    log.info(f"{queue_id}: enabling PIX workarounds: {words} for {namaddr}")


def command_refused(log: ILog, reason: str) -> None:
    """A command that the mail does not depend on."""
    log.warning(reason)


def no_reply(log: ILog, queue_id: str, protocol: str, namaddr: str, line: bytes) -> None:
    """A line without a code. `protocol` is what is spoken: ESMTP, SMTP or LMTP."""
    text = printable_text(line[:100].decode("utf-8", "surrogateescape"), utf8=True)
    log.warning(f"{queue_id}: non-{protocol} response from {namaddr}: {text}")


def too_long(log: ILog, namaddrport: str, limit: int, whole: bool, start: bytes) -> None:
    """A line of a reply, or all lines of one, that was cut off."""
    text = printable_text(start.decode("utf-8", "surrogateescape"), utf8=True)
    what = f"multi-line response longer than {limit} " if whole else f"response longer than {limit}: "
    log.warning(f"{namaddrport}: {what}{text}...")


def no_pipelining(log: ILog, address: str, parameter: str) -> None:
    """A server whose replies cannot be told apart is not to be sent several commands at once."""
    log.warning(f"to prevent loss of mail, turn off command pipelining for {address} with the {parameter} parameter")


def unusable(log: ILog, queue_id: str, reason: str) -> None:
    """The queue file cannot be read, or a table does not answer."""
    log.warning(f"{queue_id}: {reason}")


def reply_replaced(log: ILog, old: str, new: str) -> None:
    log.info(f'replacing server reply "{old}" with "{new}"')


def line_broken(log: ILog, queue_id: str, limit: int) -> None:
    log.info(f"{queue_id}: breaking line > {limit} bytes with <CR><LF>SPACE")


def content_check(log: ILog, queue_id: str, action: str, what: str, line: bytes, text: str) -> None:
    """`QID: replace: header Subject: x: text`."""
    shown = printable_text(line[:100].decode("utf-8", "surrogateescape"), utf8=True)
    more = f": {printable_text(text, utf8=True)}" if text else ""
    log.info(f"{queue_id}: {action}: {what} {shown}{more}")


def lookup_problem(log: ILog, queue_id: str, what: str) -> None:
    log.warning(f"{queue_id}: {what} lookup error")


def unknown_action(log: ILog, title: str, value: str) -> None:
    log.warning(f"unknown command in {title} map: {value}")


def table_problem(log: ILog, title: str, key: str) -> None:
    log.warning(f"{title} lookup error for {key}")


def one_recipient(log: ILog, flag: str, transport: str) -> None:
    log.warning(f"flag `{flag}' requires {transport}_destination_recipient_limit = 1")


def loop(log: ILog, queue_id: str, address: str) -> None:
    log.info(f"{queue_id}: mail forwarding loop for {address}")


# TLS.


def starttls_offered(log: ILog, host: str) -> None:
    log.info(f"Host offered STARTTLS: [{host}]")


def tls_setup(log: ILog, namaddrport: str) -> None:
    log.info(f"setting up TLS connection to {namaddrport}")


def tls_established(log: ILog, namaddrport: str, tls: TlsInfo, servername: str = "", reused: bool = False) -> None:
    what = "reused" if reused else "established"
    sni = f" to {servername}" if servername else ""
    log.info(f"{tls.trust} TLS connection {what} to {namaddrport}{sni}: {tls.described()}")


def tls_failed(log: ILog, namaddrport: str, why: str) -> None:
    log.info(f"SSL_connect error to {namaddrport}: {why}")


def tls_library(log: ILog, text: str) -> None:
    log.warning(f"TLS library problem: {text}:")


def tls_not_verified(log: ILog, namaddrport: str, why: str, own: bool) -> None:
    """`own`: it is the server's own certificate that is wrong, not one above it."""
    log.info(f"{'server ' if own else ''}certificate verification failed for {namaddrport}: {why}")


def tls_policy(log: ILog, reason: str) -> None:
    log.warning(reason)


def sts_fetched(log: ILog, domain: str, policy: StsPolicy) -> None:
    mx = ", ".join(policy.mx)
    log.info(f"MTA-STS policy of {domain}: mode={policy.mode}, max_age={policy.max_age}, mx={mx}")


def sts_failed(log: ILog, domain: str, reason: str) -> None:
    log.warning(f"MTA-STS policy of {domain} cannot be fetched: {printable_text(reason, utf8=True)}")


def sts_cache(log: ILog, domain: str, reason: str) -> None:
    log.warning(f"MTA-STS policy of {domain} cannot be kept: {reason}")


def sts_testing(log: ILog, domain: str, host: str) -> None:
    """Mode testing: the mail goes all the same."""
    log.info(f"MTA-STS policy of {domain}, testing: it does not name {host}")


def tls_counts(log: ILog, reason: str) -> None:
    log.warning(f"TLS sessions cannot be counted for reports: {reason}")


def old_default(log: ILog, text: str) -> None:
    """A default that compatibility_level keeps made the difference (V-3)."""
    log.info(f"{USING} {text}")


def sasl_type(log: ILog, name: str) -> None:
    log.warning(f"unsupported SASL client implementation: {name}")


def sasl_null(log: ILog, namaddr: str) -> None:
    log.warning(f"{namaddr} offered null AUTH mechanism list")


def sasl_failure(log: ILog, reason: str) -> None:
    log.warning(f"SASL authentication failure: {reason}")
