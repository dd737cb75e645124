"""Values that are files (LK-11): base64 in an indexed table, names of files in one that people write."""

from __future__ import annotations

import base64
import os

from pytwfix.tables.driver import TableContext
from pytwfix.tables.files import read_file


def encoded(contents: list[bytes]) -> bytes:
    """Files as one value: put together with a line end between them."""
    return base64.b64encode(b"\n".join(contents))


def decoded(value: bytes) -> bytes | None:
    """What `encoded` made; None for anything else."""
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return None


def joined_files(context: TableContext, table: str, value: bytes) -> bytes:
    """The files that a value names. TableError."""
    names = [os.fsdecode(name) for name in value.replace(b",", b" ").split()]
    return b"\n".join(read_file(context, table, name) for name in names)
