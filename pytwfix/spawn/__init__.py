"""spawn: a command for each connection, with the connection as its standard input and output (SP-1).

Stands for Postfix's spawn(8): policy services and filters that know no sockets. The master hands connections to the
factory; this room asks contracts/asuser.py (the keeper), which gets the socket itself and starts the command on it.
"""
