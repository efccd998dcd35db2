"""Augmentation of training pictures, and the recipes that choose it."""
