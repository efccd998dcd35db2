"""Measuring in review: calipers over the picture, what they measure, heads that are proposed."""
