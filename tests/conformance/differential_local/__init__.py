"""Generated deliveries on the spot, ours and a real Postfix's: local(8), virtual(8), pipe(8) (LO-*, AL-*, VI-1, PI-1).

    python -m tests.conformance.differential_local --mails 2000 --seed 1      the long run
    python -m twisted.trial tests.conformance.differential_local              two worlds, part of `make test`
"""
