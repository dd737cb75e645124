"""What qmqpd reads (QD-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, string, time


class QmqpdSettings(CommonSettings):
    """What qmqpd reads."""

    qmqpd_authorized_clients = string("", "")
    qmqpd_client_port_logging = boolean("no", "")
    qmqpd_error_delay = time("1s", "")
    qmqpd_timeout = time("300s", "", minimum=1)
