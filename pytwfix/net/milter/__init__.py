"""Mail filters (Sendmail 8 milter protocol, the mail system's side; INVENTORY MI-1 to MI-8), for smtpd and cleanup.

    filters     smtpd_milters and its like, parsed: endpoints, time limits, protocol, default action
    connection  packets over a socket, with time limits
    filter      one filter in one session: what it is told, what sticks, what happens when it fails
    chain       all filters of a session, in order: contracts/milters.py's IMilters
    macros      which macros go with which event
    log         its log lines
"""
