"""What is in the queue, for mailq, postqueue and the control verb `list` (INVENTORY PQ-2, PQ-3; Postfix's showq).

`listing` reads queue and defer files, `format` prints as mailq does. Light: commands use both without Twisted.
"""
