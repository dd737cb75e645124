"""The network below the mail: names (dns, native), connections (connect) and TLS (tls/). Rooms are handed these by
their host, or call them with it; nothing here knows a reactor that it was not given.
"""
