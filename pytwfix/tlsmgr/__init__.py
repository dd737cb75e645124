"""Tlsmgr."""
