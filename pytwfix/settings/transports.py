"""Parameters whose names begin with a service's: `<service>_destination_recipient_limit` and its like (DN-1)."""

from __future__ import annotations

from pytwfix.settings.kinds import Integer, Parameter, String, Time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytwfix.settings.snapshot import Snapshot

# suffix: kind, default's name, minimum, maximum
DELIVERY: dict[str, tuple[type[Parameter], str, int, int]] = {
    "delivery_slot_cost": (Integer, "default_delivery_slot_cost", 0, 0),
    "delivery_slot_discount": (Integer, "default_delivery_slot_discount", 0, 100),
    "delivery_slot_loan": (Integer, "default_delivery_slot_loan", 0, 0),
    "destination_concurrency_failed_cohort_limit": (
        Integer,
        "default_destination_concurrency_failed_cohort_limit",
        0,
        0,
    ),
    "destination_concurrency_limit": (Integer, "default_destination_concurrency_limit", 0, 0),
    "destination_concurrency_negative_feedback": (String, "default_destination_concurrency_negative_feedback", 1, 0),
    "destination_concurrency_positive_feedback": (String, "default_destination_concurrency_positive_feedback", 1, 0),
    "destination_rate_delay": (Time, "default_destination_rate_delay", 0, 0),
    "destination_recipient_limit": (Integer, "default_destination_recipient_limit", 0, 0),
    "extra_recipient_limit": (Integer, "default_extra_recipient_limit", 0, 0),
    "initial_destination_concurrency": (Integer, "initial_destination_concurrency", 1, 0),
    "minimum_delivery_slots": (Integer, "default_minimum_delivery_slots", 0, 0),
    "recipient_limit": (Integer, "default_recipient_limit", 0, 0),
    "recipient_refill_delay": (Time, "default_recipient_refill_delay", 1, 0),
    "recipient_refill_limit": (Integer, "default_recipient_refill_limit", 1, 0),
    "transport_rate_delay": (Time, "default_transport_rate_delay", 0, 0),
}
COMMAND = {"time_limit": (Time, "command_time_limit", 1, 0)}

# Two services have defaults of their own.
FIXED = {"local_destination_concurrency_limit": "2", "local_destination_recipient_limit": "1"}

# A number without a unit has the unit of the default that it stands for.
_UNITS = {"recipient_refill_delay": "s", "destination_rate_delay": "s", "transport_rate_delay": "s", "time_limit": "s"}


def declaration(service: str, suffix: str) -> Parameter:
    """The parameter `<service>_<suffix>`; KeyError for a suffix that is not one."""
    kind, default, minimum, maximum = DELIVERY.get(suffix) or COMMAND[suffix]
    name = f"{service}_{suffix}"
    return kind(FIXED.get(name, "$" + default), "", minimum, maximum, _UNITS.get(suffix, ""), "", name)


def named(name: str) -> Parameter:
    """The declaration of a whole name in FIXED."""
    service, _underscore, suffix = name.partition("_")
    return declaration(service, suffix)


def evaluate(snapshot: Snapshot, service: str, suffix: str) -> Any:
    """Its typed value; SettingsError."""
    parameter = declaration(service, suffix)
    text = snapshot.stated(parameter.name)
    return parameter.value(parameter.default if text is None else text, snapshot.expand)
