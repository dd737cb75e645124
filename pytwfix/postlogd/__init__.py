"""Postlogd."""
