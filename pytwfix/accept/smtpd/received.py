"""The Received header that is put before a mail (RFC 5321 section 4.4; INVENTORY SD-49)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.mail.dates import mail_date
from pytwfix.tables.addresses import external_form

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.state import State


def header(state: State, queue_id: str, only_recipient: bytes | None, now: float) -> bytes:
    """`only_recipient` is named when there is no other."""
    config, client = state.config, state.client
    ident = f" id {queue_id}" if queue_id else ""
    when = mail_date(now)
    if config.hide_client:
        return f"Received: by {config.hostname} ({config.mail_name}){ident}; {when}\r\n".encode()
    lines = [f"Received: from {state.helo or client.name} ({client.name} [{client.rfc_address}])"]
    if state.tls is not None and config.tls_received_header:
        lines += _tls_lines(state)
    if client.sasl_username and config.sasl_header:
        lines.append(f"\t(Authenticated sender: {client.sasl_username})")
    by = f"\tby {config.hostname} ({config.mail_name}) with {_protocol(state)}{ident}"
    if only_recipient is None:
        lines.append(f"{by};\r\n\t{when}")
    else:
        lines.append(f"{by}\r\n\tfor <{_quoted(only_recipient)}>; {when}")
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n"


def _protocol(state: State) -> str:
    protocol = state.protocol
    if protocol != "ESMTP":
        return protocol
    protocol = ("UTF8SMTP" if state.smtputf8 else "ESMTP") + ("S" if state.tls is not None else "")
    return protocol + ("A" if state.client.sasl_username else "")


def _tls_lines(state: State) -> list[str]:
    tls = state.tls
    assert tls is not None
    lines = [f"\t(using {tls.protocol} with cipher {tls.cipher} ({tls.bits}/{tls.algorithm_bits} bits)"]
    lines += [f"\t {part}" for part in tls.detail.strip().split("  ") if part]
    lines[-1] += ")"
    if tls.peer != "Anonymous":
        checked = "verified OK" if tls.peer == "Trusted" else "not verified"
        lines.append(f'\t(Client CN "{tls.subject}", Issuer "{tls.issuer}" ({checked}))')
    elif tls.asked:
        lines.append("\t(Client did not present a certificate)")
    else:
        lines.append("\t(No client certificate requested)")
    return lines


def _quoted(address: bytes) -> str:
    return external_form(address).decode("utf-8", "replace")
