"""Showq."""
