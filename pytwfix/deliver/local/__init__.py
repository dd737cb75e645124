"""local: mail for the users and aliases of this system (LO-1 to LO-8, AL-1 to AL-5). Stands for Postfix's local(8).

An address becomes aliases, :include: lists, .forward files, and in the end mailboxes, commands, files, another
transport, or a new message. The queue manager asks it through contracts/delivery.py. It asks contracts/asuser.py (the
keeper) for all work on files and commands of users, contracts/rewriting.py where an address goes, ICleanup to take
forwarded mail, and IReports through Outcome. The comsat service is told of new mail (LO-7).
"""
