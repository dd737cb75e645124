"""TLS to a server that a table asks (MT-8, MT-11): one way to check it, whatever its parameters are called."""

from __future__ import annotations

import ssl


def client_tls(
    ca_file: str, ca_directory: str, verify: bool, certificate: str, key: str, ciphers: str
) -> ssl.SSLContext:
    """A context; "" for what is not given. `verify`: the server's certificate and its name are checked.

    OSError and ValueError for files and ciphers that cannot be used.
    """
    context = ssl.create_default_context(cafile=ca_file or None, capath=ca_directory or None)
    context.check_hostname = verify
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate, key or None)
    if ciphers:
        context.set_ciphers(ciphers)
    return context
