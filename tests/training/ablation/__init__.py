"""Comparing networks with and without their parts."""
