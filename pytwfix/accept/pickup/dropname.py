"""What commands and the daemon must call alike in maildrop files. Light: commands import it."""

from __future__ import annotations

SUBMITTER = "submit_uid"  # the attribute that says whose mail it is, when somebody else wrote the file
