"""What trivial-rewrite reads (TR-1..TR-5)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, string


class RewriteSettings(CommonSettings):
    """What trivial-rewrite reads."""

    address_verify_default_transport = string(
        "$default_transport", "Stands in for default_transport in probes.", minimum=1
    )
    address_verify_local_transport = string("$local_transport", "Stands in for local_transport in probes.", minimum=1)
    address_verify_relay_transport = string("$relay_transport", "Stands in for relay_transport in probes.", minimum=1)
    address_verify_relayhost = string("$relayhost", "Stands in for relayhost in probes.")
    address_verify_sender_dependent_default_transport_maps = string(
        "$sender_dependent_default_transport_maps", "Stands in for sender_dependent_default_transport_maps in probes."
    )
    address_verify_sender_dependent_relayhost_maps = string(
        "$sender_dependent_relayhost_maps", "Stands in for sender_dependent_relayhost_maps in probes."
    )
    address_verify_transport_maps = string("$transport_maps", "Stands in for transport_maps in probes.")
    address_verify_virtual_transport = string(
        "$virtual_transport", "Stands in for virtual_transport in probes.", minimum=1
    )
    default_transport = string("smtp", "What delivers to domains that are not ours.", minimum=1)
    empty_address_default_transport_maps_lookup_key = string(
        "<>", "What the null sender is called in sender_dependent_default_transport_maps.", minimum=1
    )
    empty_address_relayhost_maps_lookup_key = string(
        "<>", "What the null sender is called in sender_dependent_relayhost_maps.", minimum=1
    )
    local_transport = string("local:$myhostname", "What delivers to mydestination.", minimum=1)
    relay_transport = string("relay", "What delivers to relay_domains.", minimum=1)
    relocated_prefix_enable = boolean("yes", 'Put "5.1.6 User has moved to" before what relocated_maps say.')
    sender_dependent_default_transport_maps = string("", "Transports by sender, before default_transport.")
    sender_dependent_relayhost_maps = string("", "Relay hosts by sender, before relayhost.")
    virtual_transport = string("virtual", "What delivers to virtual_mailbox_domains.", minimum=1)
