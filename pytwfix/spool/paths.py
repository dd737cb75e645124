"""Where the file of a queue ID is (INVENTORY QU-1, QU-2). Light and pure."""

from __future__ import annotations

import re

from pytwfix.mail.queueid import hash_directories


class QueuePaths:
    """`hash_names` are the queues and logs that have subdirectories, `depth` levels of them."""

    def __init__(self, directory: str, hash_names: str, depth: int) -> None:
        self.directory = directory
        self.hashed = frozenset(name for name in re.split(r"[\s,]+", hash_names) if name)
        self.depth = depth

    def folder(self, queue: str, queue_id: str) -> str:
        """The directory of a file, with a slash at its end."""
        if queue in self.hashed:
            return f"{self.directory}/{queue}/{hash_directories(queue_id, self.depth)}"
        return f"{self.directory}/{queue}/"

    def path(self, queue: str, queue_id: str) -> str:
        if queue in self.hashed:
            return f"{self.directory}/{queue}/{hash_directories(queue_id, self.depth)}{queue_id}"
        return f"{self.directory}/{queue}/{queue_id}"

    def missing_folders(self, queue: str, queue_id: str) -> list[str]:
        """The subdirectories of a file's path, outermost first, for mkdir."""
        if queue not in self.hashed:
            return []
        parts = hash_directories(queue_id, self.depth).split("/")[:-1]
        base = f"{self.directory}/{queue}"
        return [base + "/" + "/".join(parts[: count + 1]) for count in range(len(parts))]
