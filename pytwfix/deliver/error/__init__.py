"""error(8) as the services `error` and `retry`: all recipients are refused, or told to wait (ER-1).

The queue manager asks; the nexthop is the reason, such as `5.1.1 no such place`. Postfix's program: error.
"""
