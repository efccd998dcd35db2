"""Capture devices: which there are, what they offer, and how they are opened."""
