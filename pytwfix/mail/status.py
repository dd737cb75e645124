"""What became of a recipient: delivery status values (RFC 3463, RFC 3464; INVENTORY LO-5, DS-1, ST-2)."""

from __future__ import annotations

from typing import NamedTuple

# What a delivery status notice says was done (RFC 3464 section 2.3.3).
FAILED = "failed"
DELAYED = "delayed"
DELIVERED = "delivered"
RELAYED = "relayed"
EXPANDED = "expanded"
DELIVERABLE = "deliverable"
UNDELIVERABLE = "undeliverable"

# NOTIFY bits of a recipient (RFC 3461 section 4.1), as queue files hold them.
NOTIFY_NEVER = 1
NOTIFY_SUCCESS = 2
NOTIFY_FAILURE = 4
NOTIFY_DELAY = 8

# RET of a message (RFC 3461 section 4.3), as queue files hold it.
RET_FULL = 1
RET_HDRS = 2


class Dsn(NamedTuple):
    """Why a recipient is where it is.

    `status` "X.Y.Z"; `reason` the text for logs and people; `action` one of the words above or ""; `dtype` and
    `dtext` the diagnostic ("smtp", "550 5.1.1 ..."), `mtype` and `mname` the remote host ("dns", "mx.example").
    """

    status: str
    reason: str
    action: str = ""
    dtype: str = ""
    dtext: str = ""
    mtype: str = ""
    mname: str = ""

    @property
    def permanent(self) -> bool:
        """Whether trying again is of no use (class 5)."""
        return self.status.startswith("5")

    @property
    def success(self) -> bool:
        return self.status.startswith("2")

    def softened(self) -> Dsn:
        """Class 5 made class 4 (soft_bounce, SC-10)."""
        return self._replace(status="4" + self.status[1:]) if self.permanent else self
