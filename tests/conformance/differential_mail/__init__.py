"""Generated mails through generated cleanup services, ours and a real Postfix's: what is delivered, and what is logged.

    python -m tests.conformance.differential_mail --mails 2000 --seed 1     the long run
    python -m twisted.trial tests.conformance.differential_mail             60 mails, part of `make test`
"""
