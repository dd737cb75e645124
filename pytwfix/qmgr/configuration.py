"""What main.cf says to the queue manager, worked out once for each reload (QM-4, QM-10, SC-3, SC-6, SC-7)."""

from __future__ import annotations

from pytwfix.qmgr import log
from pytwfix.qmgr.feedback import Feedback, parse_feedback
from pytwfix.qmgr.settings import QmgrSettings
from pytwfix.settings.kinds import SettingsError
from pytwfix.settings.snapshot import Snapshot
from pytwfix.tables.names import split_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost


class Limits:
    """The limits of one transport: `<transport>_...` or the defaults of these parameters."""

    __slots__ = (
        "concurrency", "cost", "destination_delay", "discount", "extra_recipients", "failed_cohorts", "initial", "loan",
        "minimum_slots", "negative", "positive", "processes", "recipients", "recipients_at_once", "refill_delay",
        "refill_limit", "transport_delay",
    )  # fmt: skip

    def __init__(self, host: IHost, cfg: QmgrSettings, name: str, processes: int) -> None:
        value = _Values(host, cfg, name)
        self.processes = processes
        self.recipients_at_once = value.number("destination_recipient_limit")
        self.concurrency = value.number("destination_concurrency_limit")
        self.initial = value.number("initial_destination_concurrency")
        if self.concurrency and self.initial > self.concurrency:
            self.initial = self.concurrency
        self.failed_cohorts = value.number("destination_concurrency_failed_cohort_limit")
        self.destination_delay = value.number("destination_rate_delay")
        self.transport_delay = value.number("transport_rate_delay")
        if self.destination_delay > 0:
            self.initial = self.concurrency = 1
        if self.transport_delay > 0:
            self.processes = 1
        self.cost = value.number("delivery_slot_cost")
        self.loan = value.number("delivery_slot_loan")
        self.discount = value.number("delivery_slot_discount")
        self.minimum_slots = value.number("minimum_delivery_slots")
        self.recipients = value.number("recipient_limit")
        self.extra_recipients = value.number("extra_recipient_limit")
        self.refill_limit = value.number("recipient_refill_limit")
        self.refill_delay = value.number("recipient_refill_delay")
        self.positive = value.feedback("destination_concurrency_positive_feedback")
        self.negative = value.feedback("destination_concurrency_negative_feedback")


class _Values:
    """The values of one transport's parameters. One that cannot be used is told, and its default taken."""

    def __init__(self, host: IHost, cfg: QmgrSettings, name: str) -> None:
        self._host = host
        self._snapshot = cfg.snapshot
        self._name = name

    def number(self, suffix: str) -> int:
        """A number, or seconds."""
        try:
            return self._snapshot.transport_int(self._name, suffix)
        except SettingsError as error:
            self._host.log.warning(str(error))
            return Snapshot({}).transport_int(self._name, suffix)

    def feedback(self, suffix: str) -> Feedback:
        try:
            text = self._snapshot.transport_text(self._name, suffix)
        except SettingsError as error:
            self._host.log.warning(str(error))
            text = "1"
        return parse_feedback(self._host.log, f"{self._name}_{suffix}", text)


class Configuration:
    """Values that are asked for with each message. `settings` says of which reload they are."""

    def __init__(self, host: IHost, cfg: QmgrSettings) -> None:
        self.settings = cfg
        self.internal_addresses = cfg.info_log_address_format == "internal"
        self.active_limit = cfg.qmgr_message_active_limit
        self.recipient_limit = max(cfg.qmgr_message_recipient_limit, self.active_limit)
        self.recipient_minimum = cfg.qmgr_message_recipient_minimum
        self.probe_limit = cfg.address_verify_pending_request_limit
        self.defer_transports = frozenset(split_list(cfg.defer_transports))
        self.filter_nexthop = cfg.default_filter_nexthop
        self.double_bounce = cfg.double_bounce_sender.lower().encode()
        self.delimiter = cfg.recipient_delimiter.encode()
        self.lifetime = cfg.maximal_queue_lifetime
        self.bounce_lifetime = cfg.bounce_queue_lifetime
        self.minimal_backoff = cfg.minimal_backoff_time
        self.maximal_backoff = cfg.maximal_backoff_time
        self._adjust(host, cfg)

    def _adjust(self, host: IHost, cfg: QmgrSettings) -> None:
        """Values that contradict each other."""
        if self.recipient_limit > cfg.qmgr_message_recipient_limit:
            log.adjusted(host.log, "qmgr_message_recipient_limit", "smaller", "qmgr_message_active_limit")
        if self.bounce_lifetime > self.lifetime:
            log.adjusted(host.log, "bounce_queue_lifetime", "larger", "maximal_queue_lifetime")
            self.bounce_lifetime = self.lifetime
        if self.maximal_backoff < self.minimal_backoff:
            log.adjusted(host.log, "maximal_backoff_time", "smaller", "minimal_backoff_time")
            self.maximal_backoff = self.minimal_backoff
