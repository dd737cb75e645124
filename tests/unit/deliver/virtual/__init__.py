"""Tests of pytwfix.deliver.virtual."""
