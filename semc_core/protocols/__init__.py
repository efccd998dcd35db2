"""Checklists of scanning protocols: reading them, and what a session fulfils."""
