"""The SMTP server, Postfix's smtpd(8) (RFC 5321, 2920, 3030, 3207, 3461, 6531, 8689; INVENTORY SD-1 to SD-40, SD-42 to
SD-44, SD-46, SD-47, SD-49 to SD-52, SD-54, SD-55, SD-57, SD-58, SD-60). Not here yet: SASL, milters, before-queue
filters, HAProxy's protocol, owners of sender addresses, transcripts for the postmaster.

It asks cleanup (a transaction for each mail), rewrite (where an address goes), anvil (who comes how often), the tables,
the resolver and policy services; the master binds its sockets. Nobody asks it.

    transport   bytes between a socket and the dialog       session     takes events, checks, answers
    client      who connected, XCLIENT and XFORWARD         transaction one mail on its way to cleanup
    received    the header that is put before it            ehlo        what is announced
    configuration  settings bound once a snapshot           restrictions  lists parsed into objects
    state       what a check may look at, its verdicts      access      access(5) tables and actions
    hello_checks address_checks client_checks destination unlisted rbl policy_service general   one module a duty
    limits      anvil counts                                log         the room's log lines
"""
