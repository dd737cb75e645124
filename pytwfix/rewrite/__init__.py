"""trivial-rewrite: the form of addresses and where they go (RFC 5321; INVENTORY TR-1 to TR-6, AD-1).

Asked by cleanup (rewrite), smtpd and the queue manager (resolve), by contracts/rewriting.py; it asks the tables.
Stands for Postfix's trivial-rewrite(8).

    service        the contract, one parsed configuration for each settings snapshot, a cache where no table takes part
    configuration  the parameters of this room, parsed: lists, tables, transports
    rewrite        the form of an address (TR-2): pure
    resolve        class, transport, next hop, recipient (TR-3, TR-5, TR-6)
    transport      what a transport table's value says (TR-4): pure
"""
