"""TLS for both sides (TL-1 to TL-6): contexts (made of settings, cached), levels (what a destination wants), verify
(whose certificate it is), sessions (resumption).
"""
