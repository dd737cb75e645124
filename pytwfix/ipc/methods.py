"""The numbers of the calls between processes. All processes are forks of one: nobody has others."""

from __future__ import annotations

# contracts/queue.py IQueue
WAKE, FLUSH, DELIVER_NOW, FORGET, PRESSED = 1, 2, 3, 4, 5
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
# contracts/flushing.py IFlusher
ADD_SITE, TAKE_SITE = 60, 61
# contracts/proxying.py ITableProxy
TABLE_LOOKUP, TABLE_UPDATE, TABLE_DELETE, TABLE_ITEMS = 70, 71, 72, 73
# what children ask of the master
READY, SECRET, FULL, WANT_RELOAD, WANT_STOP = 100, 101, 102, 103, 104
# what the master tells its children
PEER, RELOAD, STRESS, STOP, LISTEN = 110, 111, 112, 113, 114
