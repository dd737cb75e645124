"""CR and LF that are not part of a CRLF, in content of any size.

Python counts single bytes one by one; to take the CRLFs away and look at what is left is twice as fast.
"""

from __future__ import annotations


def strays(data: bytes) -> tuple[bool, bool]:
    """Whether a CR and whether a LF stands alone. A CR at the end of `data` is one that does."""
    rest = data.replace(b"\r\n", b"")
    return b"\r" in rest, b"\n" in rest
