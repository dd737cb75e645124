"""Master."""
