"""Tests of `semc_core.review.raters`."""
