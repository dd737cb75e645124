"""Delivery agents: what takes a mail out of the queue. The queue manager asks them (contracts/delivery.py), and they
ask the queue store (mark recipients as done), the reports (bounce and defer logs) and the verify service.

`outcome` is what all of them do when it is known what became of a recipient.
"""
