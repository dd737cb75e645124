"""The queue manager: which message is delivered when, by whom, how many at once (INVENTORY QM-*, SC-2 to SC-9).

It is woken by cleanup, takes messages from incoming/ and deferred/ into active/, asks the rewriter where each recipient
goes, hands recipients that go the same way to a delivery agent, and in the end removes the message, defers it, or has
the bounce service tell its sender. Postfix's program: qmgr. oqmgr is served by the same room.

A message's way: `service` or `scan` -> `active` (`route`: transport and next hop of each recipient) -> `transport` with
its `destination`s, `job`s and `peer`s -> `deliver` (the agent) -> `completion`. A mail with one recipient whose
destination is idle goes straight from `active` to `deliver`.
"""
