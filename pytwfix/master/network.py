"""Gives a process its resolver and its view of the system's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytwfix.master.plan import Plan
    from pytwfix.master.process import Process


def attach_network(process: Process, plan: Plan) -> None:
    """At start and at each reload."""
