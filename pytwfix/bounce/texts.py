"""The templates in force, with their names expanded: built-in ones, or those of bounce_template_file (DS-2).

The file is read for each notice, in a thread, and understood anew when it has changed. What is wrong with it is logged,
and built-in texts take its place: a notice is never kept back for its wording.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytwfix.bounce import log
from pytwfix.bounce.templates import Template, TemplateError, Templates, parse_templates
from pytwfix.spool.reportlogs import read_file

if TYPE_CHECKING:
    from pytwfix.bounce.kinds import Kind
    from pytwfix.bounce.settings import BounceSettings
    from pytwfix.contracts.host import IHost


class Texts:
    def __init__(self, host: IHost) -> None:
        self._host = host
        self._builtin = Templates()
        self._source: tuple[str, bytes] | None = None
        self._parsed = self._builtin

    async def of(self, kind: Kind, cfg: BounceSettings) -> tuple[Template, list[str]]:
        """The template, and its text expanded."""
        template = kind.of(await self._templates(cfg))
        try:
            return template, self._expanded(template, cfg)
        except TemplateError as error:
            log.template(self._host.log, str(error))
        template = kind.of(self._builtin)
        return template, self._expanded(template, cfg)

    def _expanded(self, template: Template, cfg: BounceSettings) -> list[str]:
        return template.expanded(cfg.__dict__["snapshot"], lambda text: log.template(self._host.log, text))

    async def _templates(self, cfg: BounceSettings) -> Templates:
        path = cfg.bounce_template_file
        if not path:
            return self._builtin
        path = os.path.join(cfg.config_directory, path)
        try:
            data = await self._host.threads.run(read_file, self._host.disk, path)
        except OSError as error:
            log.template(self._host.log, f"open {path}: {error.strerror}")
            return self._builtin
        if self._source != (path, data):
            self._source = (path, data)
            self._parsed = self._parse(data, path)
        return self._parsed

    def _parse(self, data: bytes, path: str) -> Templates:
        try:
            parsed = parse_templates(data.decode("utf-8", "surrogateescape"), path)
        except TemplateError as error:
            log.template(self._host.log, str(error))
            return self._builtin
        for warning in parsed.warnings:
            log.template(self._host.log, warning)
        return parsed
