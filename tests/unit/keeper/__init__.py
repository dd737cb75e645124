"""Tests of pytwfix.keeper."""
