"""smtp_header_checks, their kin, and generic addresses in headers: the mail is changed on its way out (SM-15).

Each field and, with smtp_body_checks, each line passes its table. What may come of it: INFO, WARN, REPLACE, PREPEND,
IGNORE, STRIP, DUNNO. TableError: a table does not answer, and the mail waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytwfix.contracts.tables import TableError
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.generic import Generic
from pytwfix.mail.mime import BODY, BOUNDARY, NESTED_HEADER, PART_HEADER, Structure

if TYPE_CHECKING:
    from pytwfix.deliver.smtp.configuration import Configuration
    from pytwfix.tables.maps import Maps

PRIMARY = "primary"
_QUIET = ("DUNNO", "OK")
_LOGGED = {"INFO": "info", "WARN": "warning", "REPLACE": "replace", "PREPEND": "prepend", "STRIP": "strip"}


class Rewriting:
    """What one mail's fields and lines become."""

    def __init__(self, config: Configuration, queue_id: str) -> None:
        self._config = config
        self._log = config.host.log
        self._queue_id = queue_id
        self._generic = Generic(config) if config.generic else None

    async def apply(self, content: bytes) -> bytes:
        """The content as it goes out."""
        config, cfg = self._config, self._config.cfg
        if not (config.mime_checks or config.nested_checks or config.body_checks):
            return await self._header_only(content)
        structure = Structure(cfg.mime_nesting_limit, cfg.mime_boundary_length_limit)
        out: list[bytes] = []
        size = 0
        for kind, lines in walk(content, structure):
            if kind == BODY:
                size += len(lines[0]) + 2
                out += await self._body(lines[0], size)
            elif kind in (PRIMARY, PART_HEADER, NESTED_HEADER):
                out += await self._field(kind, lines)
            else:
                size = 0
                out += lines
        return b"\r\n".join(out)

    async def _header_only(self, content: bytes) -> bytes:
        """Nothing looks at the body: it stays in one piece."""
        end = content.find(b"\r\n\r\n")
        head, rest = (content, b"") if end < 0 else (content[:end], content[end:])
        if content.startswith(b"\r\n"):
            return content
        out: list[bytes] = []
        for lines in fields(head.split(b"\r\n")):
            out += await self._field(PRIMARY, lines) if b":" in lines[0] else lines
        return b"\r\n".join(out) + rest if out else rest[2:]

    async def _field(self, kind: str, lines: list[bytes]) -> list[bytes]:
        config = self._config
        name = lines[0].partition(b":")[0].strip().lower()
        if self._generic is not None and kind == PRIMARY:
            lines = await self._generic.field(name, lines)
        if name.startswith(b"content-") or name == b"mime-version":
            maps = config.mime_checks
        elif kind == PRIMARY:
            maps = config.header_checks
        else:
            maps = config.nested_checks if kind == NESTED_HEADER else config.mime_checks
        return await self._checked(maps, "header", lines)

    async def _body(self, line: bytes, size: int) -> list[bytes]:
        limit = self._config.cfg.body_checks_size_limit
        if not line or (limit and size > limit):
            return [line]
        return await self._checked(self._config.body_checks, "body", [line])

    async def _checked(self, maps: Maps, what: str, lines: list[bytes]) -> list[bytes]:
        if not maps:
            return lines
        text = b"\n".join(lines)
        try:
            value = maps.get(text) if maps.direct else await maps.lookup(text)
        except TableError:
            log.lookup_problem(self._log, self._queue_id, f"smtp {what} checks")
            raise
        return lines if value is None else self._act(maps.title, what, lines, value.decode("utf-8", "replace"))

    def _act(self, title: str, what: str, lines: list[bytes], value: str) -> list[bytes]:
        word, _, argument = value.strip().partition(" ")
        word, argument = word.upper(), argument.strip()
        if word in _LOGGED:
            if word in ("REPLACE", "PREPEND") and not argument:
                log.unknown_action(self._log, title, value)
                return lines
            log.content_check(self._log, self._queue_id, _LOGGED[word], what, lines[0], argument)
        elif word not in _QUIET and word != "IGNORE":
            log.unknown_action(self._log, title, value)
            return lines
        if word in ("IGNORE", "STRIP"):
            return []
        new = argument.encode("utf-8", "replace").split(b"\n")
        if word == "REPLACE":
            return new
        return [*new, *lines] if word == "PREPEND" else lines


def fields(lines: list[bytes]) -> Iterator[list[bytes]]:
    """Header lines, each with its continuations."""
    field: list[bytes] = []
    for line in lines:
        if field and line[:1] not in (b" ", b"\t"):
            yield field
            field = []
        field.append(line)
    if field:
        yield field


def walk(content: bytes, structure: Structure) -> Iterator[tuple[str, list[bytes]]]:
    """The content in order: fields of headers with their lines, lines of text, boundaries, and the ends of headers."""
    state = PRIMARY
    field: list[bytes] = []
    values = {b"content-type": b"", b"content-transfer-encoding": b""}
    for line in content.split(b"\r\n"):
        if state == BODY:
            kind = structure.line(line)
            yield kind, [line]
            state = structure.state
            continue
        boundary = structure.line(line) == BOUNDARY
        if not boundary and line[:1] in (b" ", b"\t") and field:
            field.append(line)
            continue
        if field:
            _note(values, field)
            yield state, field
            field = []
        if not boundary and line and b":" in line:
            field = [line]
            continue
        if not boundary:
            structure.open(values[b"content-type"], values[b"content-transfer-encoding"].lower())
        values = dict.fromkeys(values, b"")
        state = structure.state
        yield BOUNDARY if boundary or not line else BODY, [line]
    if field:
        yield state, field


def _note(values: dict[bytes, bytes], field: list[bytes]) -> None:
    name, _, value = b" ".join(field).partition(b":")
    name = name.strip().lower()
    if name in values:
        values[name] = value.strip()
