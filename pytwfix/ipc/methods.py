"""The numbers of the calls between processes. All processes are forks of one: nobody has others."""

from __future__ import annotations

# contracts/queue.py IQueue
WAKE, FLUSH, DELIVER_NOW, FORGET = 1, 2, 3, 4
# contracts/reports.py IReports
RECORD, READ, FORGET_LOG, NOTIFY_BOUNCE, NOTIFY_DELAY, NOTIFY_TRACE, BOUNCE_ONE = 10, 11, 12, 13, 14, 15, 16
# contracts/verification.py IVerifier
QUERY, UPDATE = 20, 21
# contracts/counters.py ICounters
CONNECT, DISCONNECT, EVENT, PEEK = 30, 31, 32, 33
# contracts/tlssessions.py ITlsSessions
SESSION_LOOKUP, SESSION_UPDATE, SESSION_DELETE = 40, 41, 42
# contracts/delivery.py IDeliveryAgent
DELIVER = 50
# contracts/rewriting.py IRewriter
REWRITE, RESOLVE = 60, 61
# contracts/control.py IControl
REQUEST = 70
# accept/pickup: mail that an ordinary user hands in
TRIGGER, SUBMIT = 80, 81
# the master and its children
SECRET, RELOAD, STRESS, FULL, PEER, STOP, READY, LOG, RELOAD_WANTED = 90, 91, 92, 93, 94, 95, 96, 97, 98
