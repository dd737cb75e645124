"""How success and failure change the number of deliveries at once to a destination (INVENTORY SC-3).

A feedback is a number from 0 to 1: constant, over the concurrency, or over its square root. Successes add up to one
more delivery at once, failures to one less; both begin anew when the other comes. A failure counts 1/concurrency of a
cohort; when more cohorts than the limit (0: never) have failed with no success in between, the destination is dead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from pytwfix.qmgr import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog
    from pytwfix.qmgr.configuration import Limits

Feedback = Callable[[int], float]
_FORM = re.compile(r"\s*([0-9.]+)\s*(?:/\s*([0-9.]+|concurrency|sqrt_concurrency)\s*)?\Z")


def parse_feedback(logger: ILog, name: str, text: str) -> Feedback:
    """The function of the concurrency that a parameter's value stands for; 1 for what makes no sense."""
    found = _FORM.match(text)
    try:
        value = float(found[1]) if found is not None else -1.0
        divisor = found[2] if found is not None else None
        if divisor is not None and divisor[0] in "0123456789.":
            value, divisor = value / float(divisor), None
    except (ValueError, ZeroDivisionError):
        value, divisor = -1.0, None
    if not 0 <= value <= 1:
        log.bad_feedback(logger, name, text)
        value, divisor = 1.0, None
    if divisor is None:
        return lambda _window: value
    if divisor == "concurrency":
        return lambda window: value / window
    return lambda window: value / math.sqrt(window)


class Window:
    """The concurrency of one destination. `size` is how many deliveries at once it may have; `used` that it has learned
    something since `reset`."""

    __slots__ = ("cohorts", "failure", "limits", "size", "success", "used")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.reset()

    def reset(self) -> None:
        """As a new destination begins."""
        self.size = self.limits.initial
        self.success = self.failure = self.cohorts = 0.0
        self.used = False

    def succeeded(self, busy: int) -> None:
        """A delivery ended well; `busy` are those at once, this one included."""
        self.used = True
        self.cohorts = 0.0
        limits, size = self.limits, self.size
        if (limits.concurrency and size >= limits.concurrency) or busy + limits.initial <= size:
            return
        feedback = limits.positive(size)
        self.success += feedback
        while self.success + feedback / 2 >= 1:  # half a step more or less is rounding
            self.size += 1
            self.success -= 1
            self.failure = 0.0
        if limits.concurrency and self.size > limits.concurrency:
            self.size = limits.concurrency

    def failed(self) -> bool:
        """A delivery could not even begin: whether the destination is dead now."""
        self.used = True
        limits = self.limits
        self.cohorts += 1 / self.size
        if limits.failed_cohorts and self.cohorts > limits.failed_cohorts:
            return True
        feedback = limits.negative(self.size)
        self.failure -= feedback
        while self.failure - feedback / 2 < 0:
            self.size -= 1
            self.failure += 1
            self.success = 0.0
        self.size = max(self.size, 1)
        return False
