"""Contracts between processes (HOUSE 3 and 5): what a room asks of a peer in another process, over a UNIX socket.

`frames` cuts the stream, `values` and `failures` say how contracts' values and errors travel, `channel` is one
connection with calls, casts and cancellation in batches, `methods` numbers the calls, `proxies` have the contracts'
interfaces and `servers` answer them with the real objects. A `Link` is where a channel is now: it changes when the
other process was started anew, and proxies do not notice. Nothing here knows a room.
"""
