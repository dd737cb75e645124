"""Logical lines of main.cf and master.cf (MC-1): comments and blank lines are nothing, white space continues a line."""

from __future__ import annotations

SPACE = " \t\r\v\f"


class Line:
    """A logical line: its number, its text without line ends, and the physical lines that it is made of.

    A first line that begins with white space belongs to nothing: `stray` is True.
    """

    __slots__ = ("number", "parts", "stray")

    def __init__(self, number: int, part: str) -> None:
        self.number = number
        self.parts = [(number, part)]
        self.stray = part[0] in SPACE

    @property
    def text(self) -> str:
        """The parts joined; the white space that a continuation begins with stays."""
        return "".join(part for _number, part in self.parts)


def beginning(text: str, most: int = 30) -> str:
    """A line for a message: no more than its beginning, `most` bytes."""
    data = text.encode("utf-8", "surrogateescape")
    return text if len(data) <= most else data[:most].decode("utf-8", "surrogateescape") + "..."


def logical_lines(text: str) -> list[Line]:
    """All logical lines of a file."""
    found: list[Line] = []
    for number, part in enumerate(text.split("\n"), 1):
        if is_comment(part):
            continue
        if part[0] in SPACE and found:
            found[-1].parts.append((number, part))
        else:
            found.append(Line(number, part))
    return found


def is_comment(part: str) -> bool:
    """A physical line that is blank or whose first character besides white space is #."""
    part = part.strip(SPACE)
    return not part or part[0] == "#"
