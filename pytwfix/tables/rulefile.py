"""Rules of cidr, pcre and regexp tables: where they come from (RX-1, MT-6).

A rule file has logical lines (textsource); `{{rule}, {rule}}` in the table's name has the same rules, numbered from 1.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytwfix.contracts.tables import TableError, TableMisconfigured
from pytwfix.tables.driver import Driver, TableContext
from pytwfix.tables.files import Watch, read_file
from pytwfix.tables.names import balanced, split_list
from pytwfix.tables.textsource import logical_lines

_SPACE = b" \t\r\n\v\f"


class RuleTable(Driver):
    """A pattern table whose rules are read at once, and again when the file has changed."""

    fixed = False
    names_files = True
    readonly = "map requires O_RDONLY access mode"

    def __init__(self, context: TableContext, kind: str, rest: str, flags: int) -> None:
        super().__init__(context, kind, rest, flags)
        self._watch: Watch | None = None
        if rest.startswith("{"):
            self.load(self._inline_rules())
        else:
            self.path = context.path(rest)
            self._watch = Watch(context, self.path)
            self.load(self._file_rules(self.path))

    def load(self, rules: Iterator[tuple[int, bytes]]) -> None:
        """Take these (line number, text) for the table's content."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Read the file again if it is another one; what cannot be read leaves the old rules in use."""
        if self._watch is not None and self._watch.changed():
            try:
                self.load(self._file_rules(self._watch.path))
            except TableError as error:
                self.context.log.error(f"{error.reason}; the old content of {self.name} stays in use")

    def warn(self, number: int, text: str) -> None:
        self.context.log.warning(f"{self.kind} map {self.rest}, line {number}: {text}")

    def _file_rules(self, path: str) -> Iterator[tuple[int, bytes]]:
        data = read_file(self.context, self.name, path)
        return iter(list(self._without_leading_space(path, data)))

    def _without_leading_space(self, path: str, data: bytes) -> Iterator[tuple[int, bytes]]:
        for number, line in logical_lines(data):
            if line[:1] in b" \t":
                shown = line.decode("utf-8", "replace")
                self.context.log.warning(f'{path}: logical line must not start with whitespace: "{shown}"')
            else:
                yield number, line.strip(_SPACE)

    def _inline_rules(self) -> Iterator[tuple[int, bytes]]:
        body, problem = balanced(self.rest)
        if problem:
            raise TableMisconfigured(self.name, f"{self.kind} map: {problem}")
        rules = []
        for number, element in enumerate(split_list(body), 1):
            if not element.startswith("{"):
                raise TableMisconfigured(
                    self.name, f"{self.kind} map: no '{{' at start of text in \"{element}\""
                )
            rule, problem = balanced(element)
            if problem:
                raise TableMisconfigured(self.name, f"{self.kind} map: {problem}")
            rules.append((number, rule.encode("utf-8", "surrogateescape")))
        return iter(rules)
