"""Qmgr."""
