"""tcp_windowsize: buffers so small that TCP needs no window scaling, which some routers break."""

from __future__ import annotations

import socket


def set_window(made: socket.socket, size: int) -> None:
    """Before the socket listens or connects: what is said in SYN depends on it. 0 leaves it to the system."""
    if size > 0 and made.family in (socket.AF_INET, socket.AF_INET6):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
