"""pickup: mail that sendmail(1) and postdrop(1) left in maildrop/ (INVENTORY PK-1, PD-1, RF-3, LG-8).

Asked by the control socket (`submit`, `trigger`); it asks cleanup. Stands for Postfix's pickup(8), and for the half of
postdrop(1) that needs rights.

    service   the contract: scans maildrop/, takes submissions
    dropfile  what such a file says: pure
    records   the record format, as far as maildrop files need it: pure, light enough for commands
    permission who may submit, and in whose name
    dropname  what commands and the daemon call alike
    drop      making and reading the files
    log       log lines
"""
