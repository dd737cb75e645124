"""Bounce."""
