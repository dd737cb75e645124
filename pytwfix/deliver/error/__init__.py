"""Error."""
