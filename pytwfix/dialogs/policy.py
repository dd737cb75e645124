"""The policy delegation protocol, asking side: `name=value` lines up to an empty one, `action=...` back (SD-40).

Pure: `request` makes the bytes, `Answer` takes what comes. Raises nothing; `Answer.error` says what was wrong.
"""

from __future__ import annotations

_MAX_ANSWER = 65536


def request(attributes: list[tuple[str, str]]) -> bytes:
    """Values cannot hold line ends or NUL: these become `?`."""
    lines = [f"{name}={_clean(value)}\n" for name, value in attributes]
    return "".join([*lines, "\n"]).encode("utf-8", "replace")


def _clean(value: str) -> str:
    if value.isprintable():
        return value
    return "".join(char if char.isprintable() else "?" for char in value)


class PolicyAnswer:
    """Feed bytes until `done`. `action` is the answer, `error` what is wrong with it."""

    __slots__ = ("_data", "action", "done", "error")

    def __init__(self) -> None:
        self._data = b""
        self.action = ""
        self.error = ""
        self.done = False

    def receive(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\n\n")
        if end < 0:
            if len(self._data) > _MAX_ANSWER:
                self.done, self.error = True, "the answer is too long"
            return
        self.done = True
        if end + 2 != len(self._data):
            self.error = "more than one answer"
            return
        for line in self._data[:end].decode("utf-8", "replace").split("\n"):
            name, equals, value = line.partition("=")
            if equals and name == "action":
                self.action = value
        if not self.action:
            self.error = "no action attribute in the answer"
