"""virtual: mail for virtual_mailbox_domains into mbox files and Maildirs (VI-1). Stands for Postfix's virtual(8).

No aliases, no commands, no .forward: three tables say where, and with whose uid and gid. The queue manager asks it
through contracts/delivery.py; it asks contracts/asuser.py (the keeper) to write, and IReports through Outcome.
"""
