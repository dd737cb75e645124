"""What qmqpd reads (QD-1)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, string, time


class QmqpdSettings(CommonSettings):
    """What qmqpd reads."""

    qmqpd_authorized_clients = string("", "Clients that may use QMQP.")
    qmqpd_client_port_logging = boolean("no", "Log the client's port.")
    qmqpd_error_delay = time("1s", "How long to wait before a refusal.")
    qmqpd_timeout = time("300s", "How long to wait for a client.", minimum=1)
