"""Generated questions that Debian's Postfix and ours answer: the answers are equal.

hypothesis makes main.cf files, master.cf files, tables and keys (kinds.py says which modules do); both
programs run on copies of the same directory (programs.py); what differs and may differ stands in known.py alone.

`python -m tests.conformance.differential --cases 20000` is the long run; a short one is part of the tests.
"""
