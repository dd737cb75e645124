"""Rules of cidr, pcre and regexp tables: where they come from (RX-1, MT-6).

A rule file has logical lines (textsource); `{{rule}, {rule}}` in the table's name has the same rules, numbered from 1.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.contracts.tables import TableMisconfigured
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.loaded import C, LoadedTable
from pytwfix.tables.names import balanced, split_list
from pytwfix.tables.textsource import logical_lines

_SPACE = b" \t\r\n\v\f"


class RuleTable(LoadedTable[C]):
    """A pattern table: `load` makes its content of rules."""

    fixed = False

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        if rest.startswith("{"):
            self.use(self.load(inline_rules(self)))
        else:
            self.open_file()

    def load(self, rules: Iterator[tuple[int, bytes]]) -> C:
        """What these (line number, text) come to."""
        raise NotImplementedError

    def parse(self, data: bytes) -> C:
        return self.load(self._without_leading_space(data))

    def warn(self, number: int, text: str) -> None:
        self.context.log.warning(f"{self.kind} map {self.rest}, line {number}: {text}")

    def fault(self, number: int, text: str) -> None:
        """A line that is left out."""
        self.faults += 1
        self.warn(number, text)

    def _without_leading_space(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        for number, line in logical_lines(data):
            if line[0] in b" \t":
                shown = line.decode("utf-8", "replace")
                self.faults += 1
                self.context.log.warning(f'{self.path}: logical line must not start with whitespace: "{shown}"')
            else:
                yield number, line.strip(_SPACE)


def inline_rules(table: Driver) -> Iterator[tuple[int, bytes]]:
    """(number, text) of each rule in a name such as `regexp:{{/a/ b}, {/c/ d}}`. TableMisconfigured."""
    body, problem = balanced(table.rest)
    if problem:
        raise TableMisconfigured(table.name, f"{table.kind} map: {problem}")
    rules = []
    for number, element in enumerate(split_list(body), 1):
        if not element.startswith("{"):
            raise TableMisconfigured(table.name, f"{table.kind} map: no '{{' at start of text in \"{element}\"")
        rule, problem = balanced(element)
        if problem:
            raise TableMisconfigured(table.name, f"{table.kind} map: {problem}")
        rules.append((number, rule.encode("utf-8", "surrogateescape")))
    return iter(rules)
