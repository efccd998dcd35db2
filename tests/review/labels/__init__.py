"""Tests of `semc_core.review.labels`."""
