"""Qmqpd."""
