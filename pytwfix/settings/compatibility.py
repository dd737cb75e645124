"""Defaults that an old compatibility_level keeps, so that who relies on them can be told (V-3, V-4)."""

from __future__ import annotations

from pytwfix.basics.macros import MacroError, level
from pytwfix.settings.kinds import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.settings.snapshot import Snapshot

CURRENT = "3.11"
USING = "using backwards-compatible default setting"  # how each log line about an old default begins

# name: the level that ended the old default.
GATES = {
    "append_dot_mydomain": "1",
    "smtputf8_enable": "1",
    "smtpd_relay_restrictions": "1",
    "relay_domains": "2",
    "mynetworks_style": "2",
    "smtp_tls_fingerprint_digest": "3.6",
    "smtpd_tls_fingerprint_digest": "3.6",
    "lmtp_tls_fingerprint_digest": "3.6",
    "smtpd_relay_before_recipient_restrictions": "3.6",
    "respectful_logging": "3.6",
    "smtp_tls_security_level": "3.11",
}


def below(snapshot: Snapshot, wanted: str) -> bool:
    """Whether compatibility_level is lower than `wanted`; SettingsError when it is malformed."""
    try:
        return level(snapshot.expand("$compatibility_level")) < level(wanted)
    except MacroError as error:
        raise SettingsError(str(error)) from error


def old_default(snapshot: Snapshot, name: str) -> str | None:
    """`name=value` when an old default is in force: nobody states `name`, and the level is below its gate."""
    gate = GATES.get(name)
    if gate is None or snapshot.stated(name) is not None or not below(snapshot, gate):
        return None
    return f"{name}={snapshot.expand('$' + name)}"


def chroot_default(snapshot: Snapshot) -> bool:
    """What `-` means in master.cf's chroot field (MX-1)."""
    return below(snapshot, "1")
