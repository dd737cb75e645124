"""One world, run by a real Postfix and by us: what each has made of each case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from twisted.trial.unittest import SkipTest

from tests.kit.mailsystem import INLINE, POSTFIX, missing

Lines = dict[str, list[str]]


T_co = TypeVar("T_co", covariant=True)


class IRunning(Protocol[T_co]):
    """A world whose `run` gives what came of its cases, mostly the lines of each."""

    def run(self) -> T_co: ...

    def close(self) -> None: ...


class IListening(Protocol):
    """A next hop of a test."""

    @property
    def port(self) -> int: ...


def routes(servers: Mapping[str, IListening]) -> str:
    """transport_maps with a domain NAME.example for each server."""
    ways = " ".join(f"{{{name}.example=smtp:[127.0.0.1]:{one.port}}}" for name, one in servers.items())
    return f"inline:{{ {ways} }}"


def need_both() -> None:
    """SkipTest where a real Postfix or ours cannot run."""
    for mode in (INLINE, POSTFIX):
        if reason := missing(mode):
            raise SkipTest(reason)


def beside(kind: Callable[[str], IRunning[T_co]]) -> tuple[T_co, T_co]:
    """Theirs and ours. SkipTest where one of them cannot run."""
    need_both()
    found: list[T_co] = []
    for mode in (POSTFIX, INLINE):
        world = kind(mode)
        try:
            found.append(world.run())
        finally:
            world.close()
    return found[0], found[1]


def differences(theirs: Lines, ours: Lines) -> dict[str, tuple[list[str], list[str]]]:
    """The cases that differ."""
    return {name: (theirs[name], ours[name]) for name in theirs if theirs[name] != ours[name]}


def shown(different: dict[str, tuple[list[str], list[str]]]) -> str:
    """The same, to be read."""
    text = ""
    for name, (theirs, ours) in different.items():
        lines = [f"== {name}", *(f"postfix {line}" for line in theirs), *(f"ours    {line}" for line in ours)]
        text += "\n".join(lines) + "\n"
    return text
