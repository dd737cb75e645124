"""Tests of pytwfix.spawn."""
