"""Holding a session against what was signed of it, outside of it too."""
