"""What a mail is, as pure values: no I/O, no Twisted.

`reply` and `errors` are what a peer may hear and what only the log may know; `status` is what became of a
recipient (RFC 3463, RFC 3464); `envelope` is who sends what to whom (RFC 5321, RFC 3461). Addresses are bytes
in internal form: the local part is not quoted, there are no angle brackets, and the null sender is b"".
"""
