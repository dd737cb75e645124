"""How errors travel: those of the contracts as what they are, any other as a RemoteFailure that is its text.

Gone and Busy are what a proxy's caller sees when the other process cannot answer; they are both a MailError (451) and a
QueueError, so that every contract's caller knows them.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError

from pytwfix.contracts import dns, queue, tables
from pytwfix.contracts.asuser import AsUserError
from pytwfix.ipc.frames import Malformed
from pytwfix.mail.errors import MailError
from pytwfix.mail.reply import Reply

_UNAVAILABLE = Reply(451, "4.3.0", "Error: internal mail system failure")


class Gone(MailError, queue.QueueError):
    """The process that should answer has ended, or did not answer in time."""

    def __init__(self, text: str) -> None:
        MailError.__init__(self, _UNAVAILABLE, text)


class Busy(Gone):
    """It has more than enough to do already."""


class RemoteFailure(Gone):
    """It failed with an error that no contract knows; its own log has more."""


def _named(*kinds: type[Any]) -> dict[str, type[Any]]:
    return {kind.__name__: kind for kind in kinds}


_QUEUE = _named(queue.QueueError, queue.CorruptMessage, queue.NoSuchMessage, queue.MessageBusy)
_TABLE = _named(tables.TableError, tables.TableUnavailable, tables.TableMisconfigured)
_DNS = _named(dns.DnsError, dns.NoSuchName, dns.NoData, dns.TryAgain, dns.BadAnswer)
_GONE = _named(Gone, Busy, RemoteFailure)
_CONTRACTS = (
    MailError, queue.QueueError, tables.TableError, AsUserError, dns.DnsError, CancelledError, ValueError, OSError,
)  # fmt: skip


def known(error: BaseException) -> bool:
    """Whether it is an error that a contract allows for: others are worth a line in the log."""
    return isinstance(error, _CONTRACTS) and not isinstance(error, Malformed)


def pack_failure(error: BaseException) -> tuple[Any, ...]:
    """A name and what that error is made of."""
    name = type(error).__name__
    if isinstance(error, Gone):
        return (name if name in _GONE else "Gone", error.reason)
    if isinstance(error, MailError):
        return ("MailError", error.reply, error.reason)
    if isinstance(error, queue.QueueError):
        return (name if name in _QUEUE else "QueueError", str(error))
    if isinstance(error, tables.TableError):
        return (name if name in _TABLE else "TableError", error.table, error.reason)
    if isinstance(error, AsUserError):
        return ("AsUserError", error.kind, error.text)
    if isinstance(error, dns.DnsError):
        return (name if name in _DNS else "DnsError", error.name, error.rtype, error.text)
    if isinstance(error, CancelledError):
        return ("CancelledError",)
    if isinstance(error, OSError) and error.errno is not None:
        return ("OSError", error.errno, error.strerror or "", str(error.filename or ""))
    if isinstance(error, ValueError):
        return ("ValueError", str(error))
    return ("RemoteFailure", f"{name}: {error}")


def unpack_failure(values: Any) -> Exception:
    """The error that `pack_failure` took apart; Malformed."""
    if type(values) is not tuple or not values:
        raise Malformed("failure")
    name, *parts = values
    try:
        return _made(name, parts)
    except (TypeError, ValueError, KeyError) as error:
        raise Malformed(f"failure: {error}") from None


def _made(name: object, parts: list[Any]) -> Exception:
    if name == "MailError":
        reply, reason = parts
        code, dsn, text, hangup = reply
        _expect(str, dsn, text, reason)
        return MailError(Reply(int(code), dsn, text, bool(hangup)), reason)
    if name == "CancelledError":
        return CancelledError()
    if name == "OSError":
        number, text, path = parts
        _expect(str, text, path)
        return OSError(int(number), text, path or None)
    _expect(str, *parts)
    if name == "AsUserError":
        return AsUserError(*parts)
    if name == "ValueError":
        return ValueError(*parts[:1])
    for kinds in (_GONE, _QUEUE, _TABLE, _DNS):
        if name in kinds:
            made: Exception = kinds[str(name)](*parts)
            return made
    raise Malformed("failure of an unknown kind")


def _expect(kind: type, *values: object) -> None:
    if not all(type(value) is kind for value in values):
        raise Malformed("failure: wrong kind of value")
