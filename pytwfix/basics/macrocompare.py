"""The comparisons of macro text, `{a} == {b}` and `{a} <level {b}` (MC-5, V-3), and what is raised for wrong text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SPACE = " \t\r\n\v\f"
LONGEST = 2**63 - 1


class MacroError(ValueError):
    """The text's syntax is wrong. `fatal` errors end the program at once, others after a warning."""

    def __init__(self, text: str, fatal: bool = False) -> None:
        super().__init__(text)
        self.fatal = fatal


def compare(left: str, operator: str, right: str) -> bool:
    """Numbers when both are all digits, release levels with a `level` operator, else bytes."""
    a: object
    b: object
    if operator.endswith("level"):
        operator = operator[:-5]
        a, b = level(left), level(right)
    elif _digits(left) and _digits(right):
        a, b = _number(left), _number(right)
    else:
        a, b = left.encode("utf-8", "surrogateescape"), right.encode("utf-8", "surrogateescape")
    return bool(_COMPARE[operator](a, b))


def level(text: str) -> tuple[int, int, int]:
    """A compatibility level `major.minor.patch` as numbers; MacroError when it is none."""
    parts = text.strip(SPACE).split(".")
    if len(parts) > 3 or not all(_digits(part) for part in parts):
        raise MacroError(f'malformed compatibility level syntax: "{text}"')
    numbers = [int(part) for part in parts] + [0, 0]
    return numbers[0], numbers[1], numbers[2]


_COMPARE: dict[str, Callable[[object, object], object]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,  # type: ignore[operator]
    "<=": lambda a, b: a <= b,  # type: ignore[operator]
    ">": lambda a, b: a > b,  # type: ignore[operator]
    ">=": lambda a, b: a >= b,  # type: ignore[operator]
}


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _number(text: str) -> int:
    value = int(text)
    if value > LONGEST:
        raise MacroError(f"mac_exp_eval: bad conversion: {text}", fatal=True)
    return value
