"""Postscreen."""
