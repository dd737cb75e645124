"""Scache."""
