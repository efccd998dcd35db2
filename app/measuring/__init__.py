"""Measuring in review and on the frozen live picture: calipers, what they measure, heads proposed."""
