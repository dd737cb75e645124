"""Generated restriction lists, access tables and dialogs, asked of a real Postfix and of us: the replies must be the
same, but for what `known` names.

    python -m tests.conformance.differential_smtpd --sessions 5000 [--seed N]
"""
