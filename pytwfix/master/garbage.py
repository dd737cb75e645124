"""The garbage collector, set for a program that starts once and then makes thousands of short-lived objects a second.

What is there after the start stays: the collector need not look at it again, and pages that processes share stay
shared. With Python's own thresholds a relay spent a ninth of its time in collections, and stood still for 50 ms in each
of the full ones.
"""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 10000, 20, 20


def settle() -> None:
    """When everything has started, and after a reload."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
