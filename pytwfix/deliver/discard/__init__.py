"""Discard."""
