"""The SMTP and LMTP client (SM-1 to SM-12, SM-14 to SM-16, SM-18, SM-19; RFC 5321, 2033, 2920, 1870, 6152, 3461,
6531, 3207, 4954).

The queue manager asks; DNS and the peer's server are asked. Postfix's programs: smtp and lmtp.

    service     IDeliveryAgent: settings, pool of idle connections, one Delivery for each request
    delivery    one request: its destinations, their servers, who still has to get the mail
    nexthop     what the nexthop names; hosts: the servers behind it; connecting: a socket to one of them
    wire        the connection: bytes, time limits, TLS; session: what is known of a connection; pool: idle sessions
    hello       greeting, EHLO, STARTTLS, AUTH
    mailing     one mail over a session; commands: its MAIL and RCPT; content, checks, generic: what is sent
    policy      which TLS a server gets; tls: the handshake
    failures    what went wrong, in Postfix's words; log: log lines
"""
