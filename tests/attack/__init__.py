"""Attacks on a session: whatever is changed in its folder must be found, and never end in a traceback."""
