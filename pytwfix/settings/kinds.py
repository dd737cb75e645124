"""The kinds of parameter: string raw integer long boolean time (MC-7).

A declaration is a class attribute of a Group: `smtpd_timeout = time("300s", "How long ...")`. Asked on an instance it
gives the typed value and leaves it in the instance's `__dict__`, so that it is computed once. Defaults are main.cf
text, macros and all. Bounds of strings are lengths; a bound of 0 is none.
Evaluation raises SettingsError.
"""

from __future__ import annotations

from pytwfix.basics.durations import SECONDS, parse_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytwfix.settings.group import Group


class SettingsError(Exception):
    """A configuration that cannot be used; the text is Postfix's."""


class Parameter:
    """What all declarations have in common. `name` is main.cf's name, `attribute` the class attribute's."""

    kind = "str"
    __slots__ = ("attribute", "default", "doc", "maximum", "minimum", "name", "note", "unit")

    def __init__(
        self, default: str, doc: str, minimum: int = 0, maximum: int = 0, unit: str = "", note: str = "", name: str = ""
    ) -> None:
        self.name = name
        self.attribute = ""
        self.default = default
        self.doc = doc
        self.minimum = minimum
        self.maximum = maximum
        self.unit = unit
        self.note = note

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name
        self.name = self.name or name.lstrip("_")

    def renamed(self, name: str, default: str) -> Parameter:
        """The same declaration for another main.cf name (lmtp_x beside smtp_x)."""
        twin = type(self)(default, self.doc, self.minimum, self.maximum, self.unit, self.note, name)
        twin.attribute = self.attribute
        return twin

    def value(self, raw: str, expand: Any) -> Any:
        """The typed value of main.cf text `raw`."""
        raise NotImplementedError

    def _within(self, value: int) -> int:
        if self.minimum and value < self.minimum:
            raise SettingsError(f"invalid {self.name} parameter value {value} < {self.minimum}")
        if self.maximum and value > self.maximum:
            raise SettingsError(f"invalid {self.name} parameter value {value} > {self.maximum}")
        return value

    def _get(self, instance: Group | None) -> Any:
        if instance is None:
            return self
        value = instance.evaluate(self)
        instance.__dict__[self.attribute] = value
        return value


class String(Parameter):
    """Text, expanded."""

    __slots__ = ()

    def value(self, raw: str, expand: Any) -> str:
        return self._length(expand(raw) if "$" in raw else raw)

    def _length(self, text: str) -> str:
        if len(text) < self.minimum and text != self.default:
            raise SettingsError(f"bad string length {len(text)} < {self.minimum}: {self.name} = {text}")
        if self.maximum and len(text) > self.maximum:
            raise SettingsError(f"bad string length {len(text)} > {self.maximum}: {self.name} = {text}")
        return text

    def __get__(self, instance: Group | None, owner: type) -> str:
        return self._get(instance)  # type: ignore[no-any-return]


class Raw(String):
    """Text as main.cf has it: its macros wait for values that come with each mail."""

    kind = "raw"
    __slots__ = ()

    def value(self, raw: str, expand: Any) -> str:
        return self._length(raw)


class Integer(Parameter):
    """A whole number."""

    kind = "int"
    largest = 2**31 - 1
    __slots__ = ()

    def value(self, raw: str, expand: Any) -> int:
        text = expand(raw) if "$" in raw else raw
        number = text.lstrip(" \t")
        digits = number[1:] if number[:1] in ("+", "-") else number
        if not (digits.isascii() and digits.isdigit()) or not -self.largest - 1 <= int(number) <= self.largest:
            raise SettingsError(f"bad numerical configuration: {self.name} = {text}")
        return self._within(int(number))

    def __get__(self, instance: Group | None, owner: type) -> int:
        return self._get(instance)  # type: ignore[no-any-return]


class Long(Integer):
    """A whole number of bytes, 64 bits."""

    kind = "long"
    largest = 2**63 - 1
    __slots__ = ()


class Boolean(Parameter):
    """yes or no."""

    kind = "bool"
    __slots__ = ()

    def value(self, raw: str, expand: Any) -> bool:
        text = expand(raw) if "$" in raw else raw
        word = text.lower()
        if word not in ("yes", "no"):
            raise SettingsError(f"bad boolean configuration: {self.name} = {text}")
        return bool(word == "yes")

    def __get__(self, instance: Group | None, owner: type) -> bool:
        return self._get(instance)  # type: ignore[no-any-return]


class Time(Parameter):
    """A length of time, in seconds. A number without a unit has the default's unit."""

    kind = "time"
    __slots__ = ()

    def value(self, raw: str, expand: Any) -> int:
        text = expand(raw) if "$" in raw else raw
        try:
            seconds = parse_duration(text, self.unit or "s")
        except ValueError:
            raise SettingsError(f"parameter {self.name}: bad time value or unit: {text}") from None
        if self.minimum and seconds < self.minimum:
            raise SettingsError(f"invalid {self.name}: {seconds} (min {self.minimum})")
        if self.maximum and seconds > self.maximum:
            raise SettingsError(f"invalid {self.name}: {seconds} (max {self.maximum})")
        return seconds

    def __get__(self, instance: Group | None, owner: type) -> int:
        return self._get(instance)  # type: ignore[no-any-return]


def string(default: str, doc: str, *, minimum: int = 0, maximum: int = 0, note: str = "", name: str = "") -> String:
    """Text with macros expanded."""
    return String(default, doc, minimum, maximum, "", note, name)


def raw(default: str, doc: str, *, minimum: int = 0, maximum: int = 0, note: str = "", name: str = "") -> Raw:
    """Text with macros left in."""
    return Raw(default, doc, minimum, maximum, "", note, name)


def integer(default: str, doc: str, *, minimum: int = 0, maximum: int = 0, note: str = "", name: str = "") -> Integer:
    """A whole number, 32 bits."""
    return Integer(default, doc, minimum, maximum, "", note, name)


def long_(default: str, doc: str, *, minimum: int = 0, maximum: int = 0, note: str = "", name: str = "") -> Long:
    """A whole number, 64 bits: sizes."""
    return Long(default, doc, minimum, maximum, "", note, name)


def boolean(default: str, doc: str, *, note: str = "", name: str = "") -> Boolean:
    """yes or no; the default may be an expression."""
    return Boolean(default, doc, 0, 0, "", note, name)


def time(
    default: str, doc: str, *, minimum: int = 0, maximum: int = 0, unit: str = "", note: str = "", name: str = ""
) -> Time:
    """Seconds; `unit` is the default's unit unless said."""
    if not unit:
        unit = default[-1] if default[-1:] in SECONDS else "s"
    return Time(default, doc, minimum, maximum, unit, note, name)
