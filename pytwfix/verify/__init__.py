"""verify: is an address deliverable? Answers from a cache, and by sending probes that are never delivered (VE-1).

Asked by smtpd (reject_unverified_*), answered by the delivery agents, which report a probe's outcome here. Stands for
Postfix's verify(8).
"""
