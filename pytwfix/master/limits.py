"""How many files and connections a process may have open: as many as the system allows it, up to a bound."""

from __future__ import annotations

import resource

MOST = 65536  # the keeper closes what it inherits up to here


def raise_descriptor_limit() -> None:
    """The usual soft limit of 1024 is for programs that use select."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
