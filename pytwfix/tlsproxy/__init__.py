"""Tlsproxy."""
