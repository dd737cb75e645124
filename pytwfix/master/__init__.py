"""The master: from main.cf and master.cf to running services (INVENTORY MA-*, MX-*; HOUSE 3).

`plan` says what is to run, `sockets` binds, `placement` says in which kind of process each program runs, `catalogue`
which class it is, `host` is what each service lives with, `rooms` joins them. Only this package knows all rooms. It
stands for Postfix's master(8) and the skeletons that its daemons share.
"""
