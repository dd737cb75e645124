"""What trivial-rewrite reads (TR-1..TR-5)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, string


class RewriteSettings(CommonSettings):
    """What trivial-rewrite reads."""

    address_verify_default_transport = string("$default_transport", "", minimum=1)
    address_verify_local_transport = string("$local_transport", "", minimum=1)
    address_verify_relay_transport = string("$relay_transport", "", minimum=1)
    address_verify_relayhost = string("$relayhost", "")
    address_verify_sender_dependent_default_transport_maps = string("$sender_dependent_default_transport_maps", "")
    address_verify_sender_dependent_relayhost_maps = string("$sender_dependent_relayhost_maps", "")
    address_verify_transport_maps = string("$transport_maps", "")
    address_verify_virtual_transport = string("$virtual_transport", "", minimum=1)
    default_transport = string("smtp", "", minimum=1)
    empty_address_default_transport_maps_lookup_key = string("<>", "", minimum=1)
    empty_address_relayhost_maps_lookup_key = string("<>", "", minimum=1)
    local_transport = string("local:$myhostname", "", minimum=1)
    relay_transport = string("relay", "", minimum=1)
    relocated_prefix_enable = boolean("yes", "")
    sender_dependent_default_transport_maps = string("", "")
    sender_dependent_relayhost_maps = string("", "")
    virtual_transport = string("virtual", "", minimum=1)
