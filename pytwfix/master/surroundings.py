"""The environment of the mail system: what import_environment names or sets, and nothing else (SV-6).

It is then the same whether a user starts it by hand or the system does. What commands get of it, export_environment
says.
"""

from __future__ import annotations

import time
from collections.abc import MutableMapping

from pytwfix.basics.environment import chosen


def clean(words: str, directory: str, environment: MutableMapping[str, str]) -> None:
    """Leave that alone, and MAIL_CONFIG, by which programs that are run find this instance."""
    kept = chosen(words, environment)
    kept["MAIL_CONFIG"] = directory
    environment.clear()
    environment.update(kept)
    time.tzset()
