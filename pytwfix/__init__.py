"""pytwfix: the Postfix mail system, done again in Python on Twisted.

The floors, lowest first: basics, mail, dialogs, settings, contracts, logs, net, ipc, tables, spool, the rooms
(accept, cleanup, rewrite, qmgr, deliver, bounce, ...), and on top master and commands. docs/rooms.md is the map.
"""

__version__ = "0.1.0"
