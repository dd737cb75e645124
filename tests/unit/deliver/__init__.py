"""Tests of pytwfix.deliver."""
