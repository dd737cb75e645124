"""The kinds of case, and how many of each there are in a hundred."""

from __future__ import annotations

from hypothesis.strategies import SearchStrategy

from tests.conformance.differential import configurations, namedtables, ruletexts, tabletexts
from tests.conformance.differential.programs import Case


class Kind:
    def __init__(self, strategy: SearchStrategy[Case], weight: int) -> None:
        self.strategy = strategy
        self.weight = weight


KINDS = {
    "shown": Kind(configurations.shown(), 20),
    "edited": Kind(configurations.edited(), 16),
    "indexed": Kind(tabletexts.indexed(), 12),
    "aliases": Kind(tabletexts.aliases(), 8),
    "regexp": Kind(ruletexts.patterns(), 16),
    "cidr": Kind(ruletexts.networks(), 10),
    "composed": Kind(namedtables.composed(), 6),
    "texthash": Kind(tabletexts.texthash(), 6),
    "messages": Kind(ruletexts.messages(), 6),
}
