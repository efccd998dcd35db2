"""Comparing methods."""
