"""Fits and judges the network that finds a fetal head's outline."""
