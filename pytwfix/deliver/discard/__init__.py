"""discard(8): all recipients are told to have the mail, and nobody gets it (DI-1).

The queue manager asks; the nexthop is the text for the log. Postfix's program: discard.
"""
