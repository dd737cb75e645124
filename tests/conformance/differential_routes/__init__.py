"""Generated routing settings, ours and a real Postfix's: what is refused, where mail goes, and what is logged (TR-*).

    python -m tests.conformance.differential_routes --mails 2000 --seed 1     the long run
    python -m twisted.trial tests.conformance.differential_routes             two worlds, part of `make test`
"""
