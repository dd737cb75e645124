"""TLS sessions as bytes, so that they can be kept and taken up again (TL-5; RFC 5077, RFC 8446 section 2.2).

pyOpenSSL has sessions but no way to write them down; its binding to OpenSSL has. Where the binding lacks a function
there are no sessions to keep: `dump` gives b"", `load` does nothing. Nothing raises.
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL

_lib: Any = getattr(SSL, "_lib", None)
_ffi: Any = getattr(SSL, "_ffi", None)
_LARGEST = 65536


def _able(*names: str) -> bool:
    return _lib is not None and _ffi is not None and all(hasattr(_lib, name) for name in names)


def dump(connection: SSL.Connection) -> bytes:
    """The session that could be taken up again later, b"" for none. With TLS 1.3 it comes after the handshake."""
    session: Any = connection.get_session()
    if session is None or not _able("i2d_SSL_SESSION"):
        return b""
    size = _lib.i2d_SSL_SESSION(session._session, _ffi.NULL)
    if not 0 < size <= _LARGEST:
        return b""
    buffer = _ffi.new("unsigned char[]", size)
    place = _ffi.new("unsigned char **", buffer)
    _lib.i2d_SSL_SESSION(session._session, place)
    return bytes(_ffi.buffer(buffer, size))


def load(connection: SSL.Connection, data: bytes) -> None:
    """Have a connection, before its handshake, take up a session; what is no session is overlooked."""
    if not data or len(data) > _LARGEST or not _able("d2i_SSL_SESSION", "SSL_set_session", "SSL_SESSION_free"):
        return
    buffer = _ffi.from_buffer("unsigned char[]", data)
    place = _ffi.new("const unsigned char **", _ffi.cast("const unsigned char *", buffer))
    session = _lib.d2i_SSL_SESSION(_ffi.NULL, place, len(data))
    if session == _ffi.NULL:
        _lib.ERR_clear_error()
        return
    _lib.SSL_set_session(connection._ssl, session)  # type: ignore[attr-defined]
    _lib.SSL_SESSION_free(session)


def reused(connection: SSL.Connection) -> bool:
    """Whether the handshake took up an earlier session."""
    return _able("SSL_session_reused") and bool(_lib.SSL_session_reused(connection._ssl))  # type: ignore[attr-defined]
