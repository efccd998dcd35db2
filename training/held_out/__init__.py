"""Held-out patients: whom a model knows already, and how often they were looked at."""
