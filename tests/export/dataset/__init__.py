"""Tests of `semc_core.export.dataset`."""
