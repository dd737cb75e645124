"""Local sockets with long names: the kernel takes 107 bytes, a folder may lie deeper than that.

A longer one is reached by its folder's descriptor, which Linux shows under /proc. Raises OSError, as opening a folder
does.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 107


@contextmanager
def reachable(path: str) -> Iterator[str]:
    """A name for `path` that bind and connect take, as long as the context lasts."""
    if len(os.fsencode(path)) <= LONGEST:
        yield path
        return
    folder, name = os.path.split(path)
    fd = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{name}"
    finally:
        os.close(fd)
