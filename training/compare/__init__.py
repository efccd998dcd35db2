"""Comparing methods: every network trained alike, over several seeds, and judged on the same patients."""
