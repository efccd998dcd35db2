"""Which frames to label next."""
