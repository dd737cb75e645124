"""What is done with another user's rights (HOUSE 3; INVENTORY LO-1, LO-4, LO-5, VI-1, PI-1, SP-1).

It stands for the root part of Postfix's local, virtual, pipe and spawn. `verbs` and `command` are plain synchronous
functions that act as the current process; `inprocess` calls them as the user who runs the daemon; `keeper` is the
root process that calls them in helpers which have taken on a user's uid, and `client` speaks to it. It is asked by
the delivery agents through contracts/asuser.py and asks nobody. Only `client` and `inprocess` know Twisted.
"""
