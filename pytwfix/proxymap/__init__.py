"""Proxymap."""
