"""bounce(8), defer and trace: what became of recipients, and the notices that tell senders (BO-1..BO-3, DS-1..DS-5).

Agents, the queue manager and cleanup ask it to keep outcomes (contracts/reports.py, on disk by spool/reportlogs.py)
and, when a message is done with, to tell its sender: a multipart/report (RFC 3462) with a text from a template, a
delivery status (RFC 3464, RFC 6533), and the message or its header. It asks the store for the message and cleanup to
take in the notice, a mail like any other. It stands for Postfix's bounce program under its three names.
"""
