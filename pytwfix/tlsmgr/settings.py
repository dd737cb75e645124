"""What tlsmgr reads (TM-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import integer, string, time


class TlsmgrSettings(CommonSettings):
    """What tlsmgr reads."""

    tls_random_bytes = integer("32", "How many random bytes tlsmgr takes at a time.", minimum=1)
    tls_random_exchange_name = string("${data_directory}/prng_exch", "A file that keeps randomness over a restart.")
    tls_random_prng_update_period = time("3600s", "How often that file is written.", minimum=1)
    tls_random_reseed_period = time("3600s", "How often fresh randomness is taken.", minimum=1)
    tls_random_source = string("dev:/dev/urandom", "Where randomness comes from.")
