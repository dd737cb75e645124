"""Every restriction by name: what it is made of (SD-25 to SD-31). A name that is missing here answers 451 4.3.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.accept.smtpd import (
    access,
    address_checks,
    certificate_checks,
    client_checks,
    destination,
    general,
    hello_checks,
    login_checks,
    mx_backup,
    policy_service,
    rbl,
    server_access,
    unlisted,
    unverified,
)
from pytwfix.accept.smtpd.login_checks import RejectLoginMismatch
from pytwfix.accept.smtpd.restrictions import Entry, Restriction
from pytwfix.accept.smtpd.safety import Fatal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytwfix.contracts.host import IHost


def _plain(make: Callable[[], Restriction]) -> Entry:
    restriction = make()
    return Entry(lambda parser, argument: restriction)


def _table(word: str, kind: type[access._Check]) -> Entry:
    return Entry(access.table_check(kind, word), argument=True)


RESTRICTIONS: dict[str, Entry] = {
    "permit": _plain(general.Permit),
    "reject": _plain(general.Reject),
    "defer": _plain(general.Defer),
    "defer_if_permit": _plain(general.DeferIfPermit),
    "defer_if_reject": _plain(general.DeferIfReject),
    "sleep": Entry(general.sleep, argument=True),
    "reject_plaintext_session": _plain(general.RejectPlaintextSession),
    "reject_unauth_pipelining": _plain(general.RejectUnauthPipelining),
    "reject_multi_recipient_bounce": _plain(general.RejectMultiRecipientBounce),
    "permit_mynetworks": _plain(general.PermitMynetworks),
    "permit_inet_interfaces": _plain(general.PermitInetInterfaces),
    "permit_sasl_authenticated": _plain(general.PermitSaslAuthenticated),
    "permit_tls_all_clientcerts": _plain(general.PermitTlsAllClientcerts),
    "check_client_access": _table("check_client_access", access.CheckClient),
    "check_address_map": _table("check_address_map", access.CheckAddressMap),
    "check_reverse_client_hostname_access": _table("check_reverse_client_hostname_access", access.CheckReverseClient),
    "check_helo_access": _table("check_helo_access", access.CheckHelo),
    "check_sender_access": _table("check_sender_access", access.CheckSender),
    "check_recipient_access": _table("check_recipient_access", access.CheckRecipient),
    "check_etrn_access": _table("check_etrn_access", access.CheckEtrn),
    "reject_unknown_client_hostname": _plain(client_checks.RejectUnknownClientHostname),
    "reject_unknown_client": _plain(client_checks.RejectUnknownClientHostname),
    "reject_unknown_reverse_client_hostname": _plain(client_checks.RejectUnknownReverseClientHostname),
    "reject_unknown_forward_client_hostname": _plain(client_checks.RejectUnknownForwardClientHostname),
    "reject_invalid_helo_hostname": _plain(hello_checks.RejectInvalidHeloHostname),
    "reject_invalid_hostname": _plain(hello_checks.RejectInvalidHeloHostname),
    "reject_non_fqdn_helo_hostname": _plain(hello_checks.RejectNonFqdnHeloHostname),
    "reject_non_fqdn_hostname": _plain(hello_checks.RejectNonFqdnHeloHostname),
    "reject_unknown_helo_hostname": _plain(hello_checks.RejectUnknownHeloHostname),
    "reject_unknown_hostname": _plain(hello_checks.RejectUnknownHeloHostname),
    "reject_non_fqdn_sender": _plain(lambda: address_checks.RejectNonFqdn(of_sender=True)),
    "reject_non_fqdn_recipient": _plain(lambda: address_checks.RejectNonFqdn(of_sender=False)),
    "reject_unknown_sender_domain": _plain(lambda: address_checks.RejectUnknownDomain(of_sender=True)),
    "reject_unknown_address": _plain(lambda: address_checks.RejectUnknownDomain(of_sender=True)),
    "reject_unknown_recipient_domain": _plain(lambda: address_checks.RejectUnknownDomain(of_sender=False)),
    "reject_unauth_destination": _plain(destination.RejectUnauthDestination),
    "defer_unauth_destination": _plain(lambda: destination.RejectUnauthDestination(defer=True)),
    "permit_auth_destination": _plain(destination.PermitAuthDestination),
    "reject_unlisted_recipient": _plain(unlisted.RejectUnlisted),
    "check_recipient_maps": _plain(unlisted.RejectUnlisted),
    "reject_unlisted_sender": _plain(lambda: unlisted.RejectUnlisted(of_sender=True)),
    "reject_unverified_sender": _plain(lambda: unverified.RejectUnverified(of_sender=True)),
    "reject_unverified_recipient": _plain(lambda: unverified.RejectUnverified(of_sender=False)),
}
RESTRICTIONS.update(
    {
        "check_policy_service": Entry(policy_service.make, argument=True),
        "reject_rbl_client": Entry(rbl.maker(rbl.RejectListed, rbl.client_address), argument=True),
        "reject_rbl": Entry(rbl.maker(rbl.RejectListed, rbl.client_address), argument=True),
        "reject_rhsbl_client": Entry(rbl.maker(rbl.RejectListed, rbl.client_name), argument=True),
        "reject_rhsbl_reverse_client": Entry(rbl.maker(rbl.RejectListed, rbl.reverse_client_name), argument=True),
        "reject_rhsbl_helo": Entry(rbl.maker(rbl.RejectListed, rbl.helo_name), argument=True),
        "reject_rhsbl_sender": Entry(rbl.maker(rbl.RejectListed, rbl.sender_domain), argument=True),
        "reject_rhsbl_recipient": Entry(rbl.maker(rbl.RejectListed, rbl.recipient_domain), argument=True),
        "permit_dnswl_client": Entry(rbl.maker(rbl.PermitListed, rbl.client_address), argument=True),
        "permit_rhswl_client": Entry(rbl.maker(rbl.PermitListed, rbl.client_name), argument=True),
    }
)
RESTRICTIONS.update(
    (name, Entry(server_access.maker(name, record, about), argument=True))
    for what, about in server_access.SUBJECTS.items()
    for record in server_access.RECORDS
    for name in (f"check_{what}_{record}_access",)
)
RESTRICTIONS.update(
    {
        "check_sasl_access": _table("check_sasl_access", login_checks.CheckSasl),
        "check_ccert_access": Entry(certificate_checks.check_ccert_access, argument=True),
        "permit_tls_clientcerts": _plain(certificate_checks.PermitTlsClientcerts),
        "permit_mx_backup": _plain(mx_backup.PermitMxBackup),
        "reject_sender_login_mismatch": _plain(lambda: RejectLoginMismatch(authenticated=True, anonymous=True)),
        "reject_authenticated_sender_login_mismatch": _plain(lambda: RejectLoginMismatch(authenticated=True)),
        "reject_unauthenticated_sender_login_mismatch": _plain(lambda: RejectLoginMismatch(anonymous=True)),
        "reject_known_sender_login_mismatch": _plain(lambda: RejectLoginMismatch(True, True, strangers=True)),
    }
)


def require_classes(host: IHost, classes: frozenset[str]) -> None:
    """Every class that is named must have a list (DN-2). Raises Fatal."""
    for name in sorted(classes):
        if host.parameter(name) is None:
            raise Fatal(f"restriction class `{name}' needs a definition")


# Parameters of smtpd that this server does not honour yet: it says so at start when they are set.
UNHONOURED = (
    "smtpd_tls_enable_rpk",
)


def unhonoured(host: IHost) -> list[str]:
    """What main.cf asks of this server and does not get: parameters, by name."""
    return [name for name in UNHONOURED if (host.parameter(name) or "no") != "no"]


