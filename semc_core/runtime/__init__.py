"""Runtimes: a model file in, predictions out."""
