"""What the queue manager reads (QM-1..QM-11, SC-*)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, integer, string, time


class QmgrSettings(CommonSettings):
    """What the queue manager reads."""

    address_verify_pending_request_limit = integer("5000", "", minimum=1)
    bounce_queue_lifetime = time("5d", "", maximum=8640000)
    confirm_delay_cleared = boolean("no", "")
    default_delivery_slot_cost = integer("5", "")
    default_delivery_slot_discount = integer("50", "", maximum=100)
    default_delivery_slot_loan = integer("3", "")
    default_destination_concurrency_failed_cohort_limit = integer("1", "")
    default_destination_concurrency_limit = integer("20", "")
    default_destination_concurrency_negative_feedback = string("1", "", minimum=1)
    default_destination_concurrency_positive_feedback = string("1", "", minimum=1)
    default_destination_rate_delay = time("0s", "")
    default_destination_recipient_limit = integer("50", "")
    default_extra_recipient_limit = integer("1000", "")
    default_filter_nexthop = string("", "")
    default_minimum_delivery_slots = integer("3", "")
    default_recipient_limit = integer("20000", "")
    default_recipient_refill_delay = time("5s", "", minimum=1)
    default_recipient_refill_limit = integer("100", "", minimum=1)
    default_transport_rate_delay = time("0s", "")
    defer_transports = string("", "")
    destination_concurrency_feedback_debug = boolean("no", "")
    initial_destination_concurrency = integer("5", "", minimum=1)
    maximal_backoff_time = time("4000s", "", minimum=1)
    qmgr_clog_warn_time = time("300s", "")
    qmgr_daemon_timeout = time("1000s", "", minimum=1)
    qmgr_fudge_factor = integer("100", "", minimum=10, maximum=100)
    qmgr_ipc_timeout = time("60s", "", minimum=1)
    qmgr_message_active_limit = integer("20000", "", minimum=1)
    qmgr_message_recipient_limit = integer("20000", "", minimum=1)
    qmgr_message_recipient_minimum = integer("10", "", minimum=1)
    transport_retry_time = time("60s", "", minimum=1)
