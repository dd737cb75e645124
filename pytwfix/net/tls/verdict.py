"""What OpenSSL thinks of a peer's certificate chain, kept beside the connection.

The callback lets every handshake go on: at the level `may` nobody cares, and at `secure` the reason is to be logged.
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL


class Verdict:
    """`error` is OpenSSL's number of the first complaint (0: trusted); `depth` where in the chain it was."""

    __slots__ = ("depth", "error")

    def __init__(self) -> None:
        self.error = 0
        self.depth = 0


def verdict_of(connection: SSL.Connection) -> Verdict:
    """The verdict of a connection, begun at the first call."""
    verdict = connection.get_app_data()
    if not isinstance(verdict, Verdict):
        verdict = Verdict()
        connection.set_app_data(verdict)
    return verdict


def listen(context: SSL.Context, mode: int) -> None:
    """Have the verdicts on all connections of a context written down."""
    context.set_verify(mode, _heard)


def _heard(connection: SSL.Connection, certificate: Any, error: int, depth: int, fine: int) -> bool:
    if not fine:
        verdict = verdict_of(connection)
        if not verdict.error:
            verdict.error, verdict.depth = error, depth
    return True
