"""How a log line is made and where it goes (LG-16, LG-17, PL-1).

`lines` makes the text of a line, `destinations` are syslog, a file and standard output, `service` is the ILog that a
room gets. Rooms' own lines are functions in their log.py. Importing this is cheap: commands log too.
"""
