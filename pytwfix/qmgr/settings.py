"""What the queue manager reads (QM-1..QM-11, SC-*)."""

from __future__ import annotations

from pytwfix.settings.common import CommonSettings
from pytwfix.settings.kinds import boolean, integer, string, time


class QmgrSettings(CommonSettings):
    """What the queue manager reads."""

    address_verify_pending_request_limit = integer(
        "5000", "How many probes may be in the active queue; more are deferred.", minimum=1
    )
    bounce_queue_lifetime = time("5d", "How long a notice is tried before it is given up.", maximum=8640000)
    confirm_delay_cleared = boolean("no", "Tell the sender when a delayed mail got through after all.")
    default_delivery_slot_cost = integer("5", "How many deliveries earn a job one slot for overtaking.")
    default_delivery_slot_discount = integer(
        "50", "Per cent of the slots that a job need not have earned yet.", maximum=100
    )
    default_delivery_slot_loan = integer("3", "How many slots a job may borrow.")
    default_destination_concurrency_failed_cohort_limit = integer(
        "1", "How many failures of a full set of deliveries make a destination dead."
    )
    default_destination_concurrency_limit = integer("20", "How many deliveries at once go to one destination.")
    default_destination_concurrency_negative_feedback = string(
        "1", "How much a failed delivery lowers the concurrency.", minimum=1
    )
    default_destination_concurrency_positive_feedback = string(
        "1", "How much a successful delivery raises the concurrency.", minimum=1
    )
    default_destination_rate_delay = time("0s", "How long to wait between deliveries to one destination.")
    default_destination_recipient_limit = integer("50", "How many recipients one delivery takes.")
    default_extra_recipient_limit = integer("1000", "How many recipients more may be read for overtaking jobs.")
    default_filter_nexthop = string("", "The next hop of a content_filter that names none.")
    default_minimum_delivery_slots = integer("3", "How large a job must be for it to be overtaken.")
    default_recipient_limit = integer("20000", "How many recipients of one transport are held in memory.")
    default_recipient_refill_delay = time("5s", "How long until more recipients of a large mail are read.", minimum=1)
    default_recipient_refill_limit = integer("100", "How many recipients are read at a time.", minimum=1)
    default_transport_rate_delay = time("0s", "How long to wait between deliveries of one transport.")
    defer_transports = string("", "Transports that deliver only when asked to.")
    destination_concurrency_feedback_debug = boolean("no", "Log how the concurrency of destinations changes.")
    initial_destination_concurrency = integer(
        "5", "How many deliveries at once a new destination starts with.", minimum=1
    )
    maximal_backoff_time = time("4000s", "The longest wait before a deferred mail is tried again.", minimum=1)
    qmgr_clog_warn_time = time("300s", "How often to warn about a destination that fills the active queue.")
    qmgr_daemon_timeout = time("1000s", "How long one step of the queue manager may take.", minimum=1)
    qmgr_fudge_factor = integer(
        "100", "Per cent of recipients that the old queue manager spreads.", minimum=10, maximum=100
    )
    qmgr_ipc_timeout = time("60s", "How long the queue manager waits for other services.", minimum=1)
    qmgr_message_active_limit = integer("20000", "How many mails the active queue holds.", minimum=1)
    qmgr_message_recipient_limit = integer("20000", "How many recipients the active queue holds.", minimum=1)
    qmgr_message_recipient_minimum = integer("10", "How many recipients of each mail are always in memory.", minimum=1)
    transport_retry_time = time("60s", "How long a transport that fails is left alone.", minimum=1)
