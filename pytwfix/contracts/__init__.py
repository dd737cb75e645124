"""What rooms may ask of each other: interfaces (typing.Protocol) and the values that they exchange.

No room imports another: it imports the contract and gets the implementation from its host. Everything here is
pure: no Twisted at run time, no reactor. A method that returns a Deferred may be answered at once.
"""
