"""Dnsblog."""
