"""Tests of pytwfix.deliver.local."""
