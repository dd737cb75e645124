"""Run it: rounds of new settings until there were enough mails."""

from __future__ import annotations

from tests.conformance.differential_local.compare import round_of
from tests.conformance.longrun import long_run

raise SystemExit(long_run(round_of, 50))
