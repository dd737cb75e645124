"""What tlsmgr reads (TM-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import integer, string, time


class TlsmgrSettings(CommonSettings):
    """What tlsmgr reads."""

    tls_random_bytes = integer("32", "", minimum=1)
    tls_random_exchange_name = string("${data_directory}/prng_exch", "")
    tls_random_prng_update_period = time("3600s", "", minimum=1)
    tls_random_reseed_period = time("3600s", "", minimum=1)
    tls_random_source = string("dev:/dev/urandom", "")
