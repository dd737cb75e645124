"""The fast flush service: which deferred mail waits for which site (INVENTORY FL-1).

For the domains in fast_flush_domains there is a log of queue IDs each, so that `postqueue -s` and ETRN need not try the
whole deferred queue. The queue manager adds to the logs and asks for them. Postfix's program: flush.
"""
