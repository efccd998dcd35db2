"""Held-out patients: known ones are left out, looks are counted."""
