"""pipe: mail to a command, by its arguments in master.cf (PI-1). Stands for Postfix's pipe(8).

The queue manager asks it through contracts/delivery.py; it asks contracts/asuser.py (the keeper) to run the command,
and IReports through Outcome. What the end of a command means is in deliver/commands.py.
"""
