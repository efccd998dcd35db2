"""Which frames to label next: those that teach the model most."""
