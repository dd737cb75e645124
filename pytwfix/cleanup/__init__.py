"""cleanup: from what a client says to a durable queue file (RFC 5321, RFC 5322, RFC 2045; INVENTORY CL-*, CA-*, LG-7).

Asked by smtpd, qmqpd, pickup, bounce and local by contracts/cleanup.py; it asks the rewriter, the tables, the queue
store, and tells the queue manager. It lives in the process of whoever submits. Stands for Postfix's cleanup(8).

    service        the contract, one parsed configuration for each settings snapshot
    configuration  the parameters of this room, parsed
    transaction    one mail: its state, and the order of things
    envelope       sender and recipients: rewriting, canonical, masquerade, virtual aliases, bcc
    masquerade     hiding subdomains (CA-6): pure
    content        where the header ends and the body begins; stray CR and LF
    headers        what is counted, logged, dropped, added in a header
    addressheaders addresses inside From:, To: and their like
    checks         header_checks and body_checks: actions and their log lines
    inspection     the lines of a mail that must be looked at one by one: checks and MIME
    mime           which line of a mail belongs to what (RFC 2045, RFC 2046): pure
    conversion     8-bit text made 7-bit (RFC 2045): pure
    milters        filters at the end of a mail, those of its SMTP session or non_smtpd_milters
    held           content that waits for them
    filtered       what they see of a mail, and what they change
    milteraddresses senders and recipients that they change
    milterchecks   milter_header_checks
    refusal        mail that is bounced instead of refused, for submitters that do not wait
"""
