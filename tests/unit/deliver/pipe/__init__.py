"""Tests of pytwfix.deliver.pipe."""
