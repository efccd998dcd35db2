"""What comes while it is scanned: cards and streams, watched and healed."""
