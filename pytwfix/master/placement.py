"""What runs in which kind of process: one table (HOUSE 3).

WORKER talks to the network, QUEUE has what needs one owner, AGENTS holds the keeper's socket. Inline one process is all
three; with one worker that worker is the queue too. Each process that takes mail in has cleanup and rewriting itself.
"""

from __future__ import annotations

WORKER, QUEUE, AGENTS = "worker", "queue", "agents"
INLINE = frozenset((WORKER, QUEUE, AGENTS))

PLACES: dict[str, frozenset[str]] = {
    "smtpd": frozenset((WORKER,)),
    "qmqpd": frozenset((WORKER,)),
    "smtp": frozenset((WORKER,)),
    "lmtp": frozenset((WORKER,)),
    "error": frozenset((WORKER,)),
    "discard": frozenset((WORKER,)),
    "cleanup": INLINE,
    "trivial-rewrite": INLINE,
    "qmgr": frozenset((QUEUE,)),
    "oqmgr": frozenset((QUEUE,)),
    "pickup": frozenset((QUEUE,)),
    "bounce": frozenset((QUEUE,)),
    "flush": frozenset((QUEUE,)),
    "verify": frozenset((QUEUE,)),
    "anvil": frozenset((QUEUE,)),
    "tlsmgr": frozenset((QUEUE,)),
    "tlsrpt": frozenset((QUEUE,)),
    "proxymap": frozenset((QUEUE,)),
    "showq": frozenset((QUEUE,)),
    "local": frozenset((AGENTS,)),
    "virtual": frozenset((AGENTS,)),
    "pipe": frozenset((AGENTS,)),
    "spawn": frozenset((AGENTS,)),
}

# What other rooms do for these, or what one process has no need of.
BUILT_IN = frozenset(("scache", "postlogd"))
DELIVERY = frozenset(("smtp", "lmtp", "error", "discard", "local", "virtual", "pipe"))


def runs(program: str, roles: frozenset[str]) -> bool:
    """Whether a process with these roles runs this program."""
    return not roles.isdisjoint(PLACES.get(program, frozenset()))


def known(program: str) -> bool:
    """Whether there is such a program."""
    return program in PLACES or program in BUILT_IN
