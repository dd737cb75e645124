"""Macro text: `$name`, `${name?yes}`, `${name:no}`, `${{a} == {b} ? {yes} : {no}}`, `${function{text}}` (MC-3..MC-6).

`expand` is used for main.cf (recursive: values may hold macros themselves) and for reply texts (not recursive).
All errors are MacroError, a ValueError whose text is the warning that Postfix prints.
"""

from __future__ import annotations

from pytwfix.basics.macrocompare import SPACE, MacroError, compare, level
from pytwfix.basics.macrofunctions import FUNCTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Lookup = Callable[[str], str | None]

__all__ = ["MacroError", "expand", "level", "mentions", "names"]

NESTING_LIMIT = 100
NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
CLOSING = {"{": "}", "(": ")"}
OPERATORS = ("==", "!=", "<=", ">=", "<", ">")
OPERATOR_SIGNS = tuple("<>=!?+-*/~&|%")  # an operator goes on as long as these do


def expand(
    text: str, lookup: Lookup, *, recursive: bool = False, undefined: Callable[[str], object] | None = None
) -> str:
    """`text` with its macros replaced by what `lookup` says; names that it does not know are empty.

    :param recursive: macros in values are expanded too.
    :param undefined: called with each name that `lookup` answers None to.
    """
    if "$" not in text:
        return text
    return _Expansion(lookup, recursive, undefined).run(text, 0)


def names(text: str) -> list[str]:
    """All names that `text` mentions, in both branches of conditionals, in order and with repetition."""
    walk = _Mentions()
    walk.run(text, 0)
    return walk.found


def mentions(text: str) -> tuple[list[str], list[MacroError]]:
    """What `names` answers up to the first fault, and what is wrong."""
    walk = _Mentions()
    try:
        walk.run(text, 0)
    except MacroError as error:
        walk.faults.append(error)
    return walk.found, walk.faults


class _Expansion:
    def __init__(self, lookup: Lookup, recursive: bool, undefined: Callable[[str], object] | None) -> None:
        self._lookup = lookup
        self._recursive = recursive
        self._undefined = undefined

    def run(self, text: str, depth: int) -> str:
        out = []
        at = 0
        while True:
            dollar = text.find("$", at)
            if dollar < 0:
                out.append(text[at:])
                return "".join(out)
            out.append(text[at:dollar])
            at = dollar + 1
            if text[at : at + 1] == "$":
                out.append("$")
                at += 1
                continue
            body, at = _reference(text, at)
            out.append(self._macro(body, text, depth))

    def _macro(self, body: str, text: str, depth: int) -> str:
        body = body.lstrip(SPACE)
        if body.startswith("{"):
            return self._relation(body, depth)
        end = _name_end(body)
        if not body:
            raise MacroError(f'empty macro name: "{text}"')
        name, rest = body[:end], body[end:].lstrip(SPACE)
        if not rest:
            return self._value(name, depth)
        if name in FUNCTIONS and rest[0] == "{":
            return self._function(name, rest, text, depth)
        if not name or rest[0] not in "?:":
            raise MacroError(f'attribute name syntax error at: "...{_near(name, body[end:])}')
        return self._choose(bool(self._raw(name)), rest, depth)

    def _raw(self, name: str) -> str | None:
        value = self._lookup(name)
        if value is None and self._undefined is not None:
            self._undefined(name)
        return value

    def _value(self, name: str, depth: int) -> str:
        if depth > NESTING_LIMIT:
            raise MacroError(f'unreasonable macro call nesting: "{name}"')
        value = self._raw(name)
        if value is None:
            return ""
        if self._recursive and "$" in value:
            return self.run(value, depth + 1)
        return value

    def _choose(self, condition: bool, rest: str, depth: int) -> str:
        """`rest` begins with the ? or the : of a conditional."""
        yes, no = branches(rest)
        chosen = yes if condition else no
        return self.run(chosen, depth + 1) if chosen else ""

    def _relation(self, body: str, depth: int) -> str:
        left, operator, right, rest = relation(body)
        truth = compare(self.run(left, depth + 1), operator, self.run(right, depth + 1))
        if not rest:
            return "true" if truth else ""
        return self._choose(truth, rest, depth)

    def _function(self, name: str, rest: str, text: str, depth: int) -> str:
        argument, after = _group(rest)
        if after.strip(SPACE):
            raise MacroError(f'unexpected input at: "...{_near(argument + "}", after.lstrip(SPACE))}')
        try:
            return FUNCTIONS[name](self.run(argument, depth + 1).strip(SPACE))
        except ValueError as error:
            raise MacroError(f'bad domain argument in: "{text}"') from error


class _Mentions(_Expansion):
    """Walks both branches and only notes the names."""

    def __init__(self) -> None:
        super().__init__(self._note, False, None)
        self.found: list[str] = []
        self.faults: list[MacroError] = []

    def _note(self, name: str) -> str | None:
        self.found.append(name)
        return None

    def run(self, text: str, depth: int) -> str:
        at = 0
        while (dollar := text.find("$", at)) >= 0:
            at = dollar + 2
            if text[dollar + 1 : at] == "$":
                continue
            body, at = _reference(text, dollar + 1)
            try:
                self._macro(body, text, depth)
            except MacroError:
                self._truncated(text, at)
                raise
        return ""

    def _truncated(self, text: str, at: int) -> None:
        """Behind a fault Postfix still finds a macro without an end or a name, up to the next one in braces."""
        while (dollar := text.find("$", at)) >= 0:
            at = dollar + 2
            if text[dollar + 1 : at] == "$":
                continue
            try:
                at = _reference(text, dollar + 1)[1]
            except MacroError as error:
                self.faults.append(error)
                return
            if text[dollar + 1] in CLOSING:
                return

    def _choose(self, condition: bool, rest: str, depth: int) -> str:
        try:
            both = branches(rest)
        except MacroError as error:
            group = rest[1:].lstrip(SPACE)
            if group.startswith("{") and _balanced(group, 0) > 0:
                self._inside(_group(group)[0], depth, error)
            raise
        for branch in both:
            if branch:
                self.run(branch, depth + 1)
        return ""

    def _inside(self, text: str, depth: int, outer: MacroError) -> None:
        """A group in front of a fault has faults of its own."""
        try:
            self.run(text, depth + 1)
        except MacroError:
            self.faults.append(outer)
            raise

    def _relation(self, body: str, depth: int) -> str:
        left, _operator, right, rest = relation(body)
        self.run(left, depth + 1)
        self.run(right, depth + 1)
        return self._choose(True, rest, depth) if rest else ""

    def _function(self, name: str, rest: str, text: str, depth: int) -> str:
        argument, _after = _group(rest)
        return self.run(argument, depth + 1)


def branches(rest: str) -> tuple[str, str]:
    """The texts for true and for false of `? yes`, `: no` or `? {yes} : {no}`."""
    mark, rest = rest[0], rest[1:]
    if not rest.lstrip(SPACE).startswith("{"):
        if mark == "?":
            return rest, ""
        if mark == ":":
            return "", rest
        raise MacroError(f'"?" or ":" expected at: "...{_near("", mark + rest)}')
    first, after = _group(rest.lstrip(SPACE))
    after = after.lstrip(SPACE)
    if mark == ":" or not after:
        if after:
            raise MacroError(f'unexpected input at: "...{_near(first + "}", after)}')
        return (first, "") if mark == "?" else ("", first)
    if after[0] != ":":
        raise MacroError(f'":" expected at: "...{_near(first + "}", after)}')
    second = after[1:]
    if second.lstrip(SPACE).startswith("{"):
        second, after = _group(second.lstrip(SPACE))
        if after.strip(SPACE):
            raise MacroError(f'unexpected input at: "...{_near(second + "}", after.lstrip(SPACE))}')
    return first, second


def relation(body: str) -> tuple[str, str, str, str]:
    """`{left} op {right} rest` taken apart."""
    left, after = _group(body)
    after = after.lstrip(SPACE)
    operator = next((one for one in OPERATORS if after.startswith(one)), None)
    if operator is None or after[len(operator) : len(operator) + 1] in OPERATOR_SIGNS:
        wanted = '"==" or "!="" or "<"" or "<="" or ">="" or ">"'
        raise MacroError(f'{wanted} expected at: "...{_near(left + "}", after)}')
    rest = after[len(operator) :]
    suffix = _alphanumeric(rest)
    if suffix not in ("", "level"):
        raise MacroError(f'bad operator suffix at: "...{operator}>>>{suffix}"')
    rest = rest[len(suffix) :]
    if not rest.lstrip(SPACE).startswith("{"):
        raise MacroError(f'"{{expression}}" expected at: "...{_near("{" + left + "} " + operator, rest)}')
    operator += suffix
    right, rest = _group(rest.lstrip(SPACE))
    rest = rest.lstrip(SPACE)
    if rest and rest[0] not in "?:":
        raise MacroError(f'"?" or ":" expected at: "...{_near("}", rest)}')
    return left, operator, right, rest


def _reference(text: str, at: int) -> tuple[str, int]:
    """What stands after the $ at `at`: its inside, and where the text goes on."""
    close = CLOSING.get(text[at : at + 1])
    if close is None:
        end = at + _name_end(text[at:])
        if end == at:
            raise MacroError(f'empty macro name: "{text}"')
        return text[at:end], end
    end = _balanced(text, at)
    if end < 0:
        raise MacroError(f'truncated macro reference: "{text}"')
    return text[at + 1 : end], end + 1


def _balanced(text: str, at: int) -> int:
    """Where the brace that opens at `at` closes, or -1."""
    opening = text[at]
    closing = CLOSING[opening]
    depth = 0
    for end in range(at, len(text)):
        if text[end] == opening:
            depth += 1
        elif text[end] == closing:
            depth -= 1
            if not depth:
                return end
    return -1


def _group(text: str) -> tuple[str, str]:
    """The inside of the {group} that `text` begins with, and what follows."""
    end = _balanced(text, 0)
    if end < 0:
        raise MacroError(f'unbalanced {{}} in attribute expression: "{text}"')
    return text[1:end], text[end + 1 :]


def _name_end(text: str) -> int:
    for at, char in enumerate(text):
        if char not in NAME:
            return at
    return len(text)


def _alphanumeric(text: str) -> str:
    """The letters and digits that `text` begins with."""
    return text[: _name_end(text)].partition("_")[0]


def _near(before: str, after: str) -> str:
    part = after.encode("utf-8", "surrogateescape")[:20]
    return f'{before}>>>{part.decode("utf-8", "surrogateescape")}"'
