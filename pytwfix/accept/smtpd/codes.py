"""Reply codes that main.cf may set, and how reject_unverified_* answer (SD-25 to SD-29, SD-39)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytwfix.accept.smtpd.safety import Fatal

if TYPE_CHECKING:
    from pytwfix.accept.smtpd.settings import SmtpdSettings


class Codes(NamedTuple):
    """Reply codes that main.cf may set."""

    reject: int
    defer: int
    access_map_reject: int
    access_map_defer: int
    plaintext: int
    multi_recipient_bounce: int
    invalid_hostname: int
    non_fqdn: int
    unknown_hostname: int
    unknown_client: int
    unknown_address: int
    relay_domains: int
    maps_rbl: int
    unknown_local: int
    unknown_virtual_alias: int
    unknown_virtual_mailbox: int
    unknown_relay: int


class Unverified(NamedTuple):
    """How reject_unverified_* answer."""

    reject_code: int
    defer_code: int
    reason: str
    at_once: bool  # a deferral does not wait for what the rest of the list says


class Deferring(NamedTuple):
    """`*_tempfail_action`: what defers at once."""

    unknown_address: bool
    unknown_helo_hostname: bool
    unverified_recipient: bool
    unverified_sender: bool


def deferring(cfg: SmtpdSettings) -> Deferring:
    """Raises Fatal for an action that is neither `defer` nor `defer_if_permit`."""
    return Deferring(
        _at_once("unknown_address_tempfail_action", cfg.unknown_address_tempfail_action),
        _at_once("unknown_helo_hostname_tempfail_action", cfg.unknown_helo_hostname_tempfail_action),
        _at_once("unverified_recipient_tempfail_action", cfg.unverified_recipient_tempfail_action),
        _at_once("unverified_sender_tempfail_action", cfg.unverified_sender_tempfail_action),
    )


def _at_once(name: str, value: str) -> bool:
    if value.lower() not in ("defer", "defer_if_permit"):
        raise Fatal(f"bad configuration: {name} = {value}")
    return value.lower() == "defer"


def unverified(cfg: SmtpdSettings, at_once: Deferring) -> tuple[Unverified, Unverified]:
    """Of senders, and of recipients."""
    return Unverified(
        cfg.unverified_sender_reject_code,
        cfg.unverified_sender_defer_code,
        cfg.unverified_sender_reject_reason,
        at_once.unverified_sender,
    ), Unverified(
        cfg.unverified_recipient_reject_code,
        cfg.unverified_recipient_defer_code,
        cfg.unverified_recipient_reject_reason,
        at_once.unverified_recipient,
    )


def codes(cfg: SmtpdSettings) -> Codes:
    return Codes(
        reject=cfg.reject_code,
        defer=cfg.defer_code,
        access_map_reject=cfg.access_map_reject_code,
        access_map_defer=cfg.access_map_defer_code,
        plaintext=cfg.plaintext_reject_code,
        multi_recipient_bounce=cfg.multi_recipient_bounce_reject_code,
        invalid_hostname=cfg.invalid_hostname_reject_code,
        non_fqdn=cfg.non_fqdn_reject_code,
        unknown_hostname=cfg.unknown_hostname_reject_code,
        unknown_client=cfg.unknown_client_reject_code,
        unknown_address=cfg.unknown_address_reject_code,
        relay_domains=cfg.relay_domains_reject_code,
        maps_rbl=cfg.maps_rbl_reject_code,
        unknown_local=cfg.unknown_local_recipient_reject_code,
        unknown_virtual_alias=cfg.unknown_virtual_alias_reject_code,
        unknown_virtual_mailbox=cfg.unknown_virtual_mailbox_reject_code,
        unknown_relay=cfg.unknown_relay_recipient_reject_code,
    )
