"""Who connects how often, Postfix's anvil(8) (AN-1, SD-47, LG-14).

smtpd asks it; it asks nobody. One owner for all worker processes.

    service   the counts and the clock         log   the statistics lines
"""
